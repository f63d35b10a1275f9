import pino from 'pino'
import { redactValue } from '../core/redact/redact.ts'
import { Output } from './output.ts'

export interface LoggerOptions {
  level: pino.LevelWithSilent
  /** Each line begins with its syslog priority, as sd-daemon(3) reads it. */
  journald: boolean
  /** Instead of stderr. */
  stream?: pino.DestinationStream
}

export type Logger = pino.Logger

const PRIORITY: Record<string, number> = { fatal: 2, error: 3, warn: 4, info: 6, debug: 7, trace: 7 }

/** JSON lines on stderr, written before the call returns where somebody reads them: a crash loses none. */
export function createLogger({ level, journald, stream = logOutput(journald) }: LoggerOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    // The journal knows the process, and stderr has one writer.
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: (line) => finishLine(line, journald) },
  }
  return pino(options, stream)
}

/** Done on the finished line, so that no field, message or stack gets around it. */
function finishLine(line: string, journald: boolean): string {
  const record = JSON.parse(line) as { level: string }
  const text = JSON.stringify(record, (key, value: unknown) =>
    typeof value === 'string' ? redactValue(key, value) : value,
  )
  return `${journald ? `<${PRIORITY[record.level] ?? 6}>` : ''}${text}\n`
}

/** Of lines that nobody reads so many are kept: some thousands. */
const LIMIT_BYTES = 2 ** 20

/** stderr, for the log of the whole process: it never waits for who reads it. */
export function logOutput(journald: boolean): Output {
  const dropped = (lines: number): string => {
    const record = { level: 'warn', time: new Date().toISOString(), dropped: lines }
    return finishLine(
      JSON.stringify({ ...record, msg: `${lines} lines dropped: the reader of the log was too slow` }),
      journald,
    )
  }
  return new Output(2, { bytes: LIMIT_BYTES, dropped })
}
