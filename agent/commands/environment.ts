import type { App } from '../app.ts'
import type { ExitCode } from '../core/errors.ts'
import type { Wanted } from '../core/model.ts'
import type { CommonOptions } from './options.ts'

/** What main gives to the commands. */
export interface Environment {
  version: string
  /** Reads the config, connects, and shows progress until `end`. */
  open: (options: CommonOptions, need: Need) => Promise<Opened>
  /** A line to stdout. */
  print: (text: string) => void
  /** Human text may carry colours. */
  color: boolean
  exit: (code: ExitCode) => void
}

/** What of the config a command cannot do without. */
export interface Need {
  /** An upgrade has a target; a rollback or a resume has its own. */
  target: boolean
  /** Runs that are shown as they go. */
  progress: boolean
}

export interface Opened {
  app: App
  wanted: Wanted
  /** Leaves the screen clean. */
  end: () => void
}
