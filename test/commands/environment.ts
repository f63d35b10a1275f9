import { runCli } from '../../agent/commands/cli.ts'
import type { Environment } from '../../agent/commands/environment.ts'
import { ExitCode } from '../../agent/core/errors.ts'
import { createLogger } from '../../agent/report/logger.ts'

const began = (): Promise<never> => Promise.reject(new Error('it began'))

/** Of a command line that is refused, or that only prints: nothing is read, opened or written. */
export const refusing: Environment = {
  version: '0.0.0',
  terminal: () => null,
  stdout: { isPending: false, isGone: false, write: () => undefined },
  text: { color: false },
  loadConfig: began,
  open: began,
  stopSignal: () => new AbortController().signal,
  readConfigFile: () => Promise.resolve(undefined),
  figures: () => began,
  pastRuns: () => Promise.resolve([]),
  writeFile: began,
  log: () => createLogger({ level: 'silent', journald: false }),
  print: () => undefined,
  exit: () => undefined,
}

/** What a command line prints on stdout, and its exit code; `world` is what it may reach. */
export async function run(
  argv: string[],
  world: Partial<Environment> = {},
): Promise<{ text: string; code: ExitCode }> {
  const printed: string[] = []
  let code: ExitCode = ExitCode.done
  const print = (text: string): void => void printed.push(text)
  const exit = (given: ExitCode): void => {
    code = given
  }
  await runCli(argv, { ...refusing, ...world, print, exit })
  return { text: printed.join('\n'), code }
}
