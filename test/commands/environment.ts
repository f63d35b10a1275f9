import type { Environment } from '../../agent/commands/environment.ts'
import { createLogger } from '../../agent/report/logger.ts'

const began = (): Promise<never> => Promise.reject(new Error('it began'))

/** Of a command line that is refused, or that only prints: nothing is read, opened or written. */
export const refusing: Environment = {
  version: '0.0.0',
  terminal: () => null,
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
