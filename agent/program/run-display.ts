import type { Emit } from '../core/events.ts'
import { logEvents } from '../report/log-events.ts'
import { createLogger, type Logger } from '../report/logger.ts'
import { createProgress, type Progress } from '../report/progress.ts'
import type { Describe } from '../report/run-view.ts'
import type { Program } from './program.ts'
import { isTerminal, terminalSize, textOptions } from './terminal.ts'

type Level = Parameters<typeof createLogger>[0]['level']

interface DisplayOptions {
  json?: boolean | undefined
  logLevel?: Level | undefined
  /** Runs that are shown as they go. */
  progress: boolean
}

/** The log on stderr. */
export function createLog(level: Level, { journald, log }: Program): Logger {
  return createLogger({ level, journald, stream: log })
}

/** Progress on stdout for people, the log on stderr; a JSON document has stdout for itself. */
export function createRunDisplay(
  { json, logLevel, progress }: DisplayOptions,
  describe: Describe,
  program: Program,
): Progress {
  const level = logLevel ?? (json || program.journald ? 'info' : 'silent')
  const log = logEvents(createLog(level, program))
  if (json) return { emit: log, end: () => undefined }
  const shown = createProgress({
    // Log lines on the same terminal would land inside what is redrawn.
    tty: progress && isTerminal && logLevel === undefined,
    color: textOptions.color,
    output: program.screen,
    describe,
    size: terminalSize,
  })
  return { emit: both(log, shown.emit), end: shown.end }
}

function both(one: Emit, other: Emit): Emit {
  return (event) => {
    one(event)
    other(event)
  }
}
