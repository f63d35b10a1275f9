import { describe, expect, it } from 'vitest'
import { runProgram } from '../../agent/adapters/run-program.ts'

const sh = (script: string, timeoutMs = 60_000, input = '') =>
  runProgram('sh', ['-c', script], timeoutMs, input)

describe('a program', () => {
  it('is run to its end, with what it is given', async () => {
    const ended = { exitCode: 3, stdout: 'in', stderr: 'err' }
    expect(await sh('cat; printf err >&2; exit 3', 60_000, 'in')).toEqual(ended)
  })

  it('may end by a signal, or without reading', async () => {
    expect(await sh('kill -9 $$', 60_000, 'x'.repeat(1e6))).toMatchObject({ exitCode: null })
  })

  it('that ignores TERM, and whose child keeps its output open, is not waited for', async () => {
    const { exitCode, stderr } = await sh("trap '' TERM; sleep 5 & while :; do sleep 1; done", 200)
    expect({ exitCode, stderr }).toEqual({ exitCode: null, stderr: 'it did not end within 0.2 s' })
  })

  it('that is not there is no end', async () => {
    await expect(runProgram('no-such-program', [], 1000)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
