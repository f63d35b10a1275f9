import { expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { shownJson } from '../../agent/report/json.ts'
import { manyLines } from '../../agent/report/text.ts'
import { json } from '../../agent/service/http.ts'

const document = {
  schema: 1,
  problems: [{ message: 'it said: ETCD_PASSWORD=hunter2 | https://root:hunter2@192.0.2.9:2379', fix: 'x' }],
  count: 2,
  none: null,
}

it('a document shows no secret, wherever it was quoted or journaled', () => {
  for (const text of [shownJson(document), json(document).text]) {
    expect(text).not.toContain('hunter2')
    expect(JSON.parse(text)).toEqual({
      ...document,
      problems: [
        { message: 'it said: ETCD_PASSWORD=<redacted> | https://<redacted>@192.0.2.9:2379', fix: 'x' },
      ],
    })
  }
})

it('an error has none from the start', () => {
  const error = new AgentError('x', 'cannot x: password: hunter2', { fix: 'run x --token=hunter2' })
  expect(JSON.stringify([error.message, error.stack, error.fix])).not.toContain('hunter2')
})

it('a problem of many lines shows no key', () => {
  const key = '-----BEGIN RSA PRIVATE KEY-----\nMIIBhunter2\n-----END RSA PRIVATE KEY-----'
  expect(manyLines(`it said\n  ${key}\nand more`)).toEqual(['it said', '  <redacted>', 'and more'])
})
