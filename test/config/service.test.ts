import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../agent/config/parse.ts'

const parse = (listen: string) =>
  parseConfig(Buffer.from(`service:\n  listen: "${listen}"\n`), 'agent.yaml').service.listen

describe('service.listen', () => {
  it.each(['127.0.0.1:1', '0.0.0.0:65535', '[::]:9470', '[::ffff:192.0.2.1]:9470', '[fe80::1%lo]:9470'])(
    'may be %s',
    (listen) => {
      expect(parse(listen)).toBe(listen)
    },
  )

  it.each([
    ...['127.0.0.1', '127.0.0.1:0', '127.0.0.1:65536', '127.0.0.1:99999', '256.0.0.1:9470'],
    ...['::1:9470', '[127.0.0.1]:9470', 'localhost:9470', ''],
  ])('is not %s', (listen) => {
    expect(() => parse(listen)).toThrow(
      `agent.yaml:2:11: service.listen: must be an address and a port from 1 to 65535: 127.0.0.1:9470 or [::1]:9470, found the text "${listen}"`,
    )
  })
})
