import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { runBounded, runProgram } from '../../agent/adapters/run-program.ts'

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
    expect({ exitCode, stderr }).toEqual({ exitCode: null, stderr: 'it did not finish within 0.2 s' })
  })

  it('that is not there is no end', async () => {
    await expect(runProgram('no-such-program', [], 1000)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('a program that hangs', () => {
  it.each([
    ['with its child in the foreground', 'sleep 600 & echo $! > "$0"; wait'],
    ['when it has ended itself, and its child holds its output', 'sleep 600 & echo $! > "$0"'],
  ])('is ended %s', async (_what, script) => {
    const directory = await mkdtemp(join(tmpdir(), 'program-'))
    const file = join(directory, 'pid')
    try {
      const { exitCode } = await runProgram('sh', ['-c', script, file], 3_000)
      expect(exitCode).toBeNull()
      const pid = Number(await readFile(file, 'utf8'))
      await vi.waitFor(() => {
        expect(() => process.kill(pid, 0)).toThrow('ESRCH')
      }, 60_000)
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('is ended where it prints without end', async () => {
    const limits = { timeoutMs: 60_000, maxBytes: 1000 }
    const { cut, stdout } = await runBounded('sh', ['-c', 'yes & wait'], limits)
    expect(cut).toBe('output')
    expect(stdout.length).toBeLessThanOrEqual(1000)
  })
})
