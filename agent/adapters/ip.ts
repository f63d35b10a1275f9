import { cannotStart } from './program-error.ts'
import { runProgram } from './run-program.ts'

export interface IpRun {
  /** Null where it was killed for its time. */
  code: number | null
  output: string
  errors: string
}

const DEADLINE_MS = 5_000

/** Runs iproute2's `ip`, without a shell. @throws AgentError with the `failure` code where it does not start */
export async function runIp(failure: string, argv: string[], input = ''): Promise<IpRun> {
  try {
    const { exitCode, stdout, stderr } = await runProgram('ip', argv, DEADLINE_MS, input)
    return { code: exitCode, output: stdout, errors: stderr }
  } catch (error) {
    throw cannotStart(failure, 'ip', error as Error)
  }
}
