import { execFile } from 'node:child_process'
import type { ExecResult } from '../lab/index.ts'

/** Runs a program of this machine to its end; a non-zero exit is a result. */
export function program(argv: readonly [string, ...string[]], env: NodeJS.ProcessEnv): Promise<ExecResult> {
  const [command, ...args] = argv
  return new Promise((done, fail) => {
    execFile(command, args, { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      if (typeof code === 'number') done({ code, stdout, stderr })
      else fail(error ?? new Error(`cannot run ${command}`))
    })
  })
}
