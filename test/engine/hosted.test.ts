import { describe, expect, it } from 'vitest'
import { HostedHost, type HostedOptions } from './hosted-host.ts'

describe('the swap of a DaemonSet’s pod', () => {
  it.each<[string, HostedOptions]>([
    ['the only host', {}],
    ['the first of two', { other: 'to come' }],
    ['the last of two', { other: 'done' }],
  ])('replaces the pod of this host alone: %s', async (_, options) => {
    const host = await HostedHost.create(options)
    expect({ outcome: await host.run(), problems: host.problems }).toEqual({
      outcome: 'upgraded',
      problems: [],
    })
    expect(await host.flaws('upgraded')).toEqual([])
  })
})
