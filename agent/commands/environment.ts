import type { Config } from '../config/schema.ts'
import type { ExitCode } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import type { RunFigures } from '../core/report/run-figures.ts'
import type { Wanted } from '../core/wanted.ts'
import type { Logger } from '../report/logger.ts'
import type { Output } from '../report/output.ts'
import type { Terminal } from '../report/screen.ts'
import type { TextOptions } from '../report/wrap.ts'
import type { App } from '../stories/app.ts'
import type { PastRun } from '../stories/history/past-runs.ts'
import type { CommonOptions } from './options.ts'

/** What main gives to the commands. */
export interface Environment {
  version: string
  /** The config file with the flags over it. */
  loadConfig: (options: CommonOptions) => Promise<Config>
  /** The bytes of a config file; undefined if it is not there. */
  readConfigFile: (path: string) => Promise<Uint8Array | undefined>
  /** Connects, and shows progress until `end`. The config is read, unless it is given. */
  open: (options: CommonOptions, need: Need, given?: Given) => Promise<Opened>
  /** Aborted by the first signal to stop; the second ends the agent. */
  stopSignal: () => AbortSignal
  log: (options: CommonOptions, level: 'info' | 'silent') => Logger
  /** Prints a line to stdout, at the end. */
  print: (text: string) => void
  /** What all runs of this host come to: read each time, the journals that have their end once. */
  figures: (options: CommonOptions) => () => Promise<RunFigures>
  /** The runs of a state directory, newest first; none where they cannot be read. */
  pastRuns: (stateDir: string) => Promise<PastRun[]>
  /** Puts a file in place, for the caller alone to read unless `mode` says otherwise. @throws AgentError `cannot-write` */
  writeFile: (path: string, text: string, mode?: number) => Promise<void>
  /** stdout at once, for what goes on until it is stopped. */
  stdout: Pick<Output, 'write' | 'isPending' | 'isGone'>
  /** Where stdout is one that can be redrawn; null elsewhere. */
  terminal: () => Terminal | null
  /** How text for people looks on stdout. */
  text: TextOptions
  exit: (code: ExitCode) => void
}

/** The parts of the config that a command needs. */
export interface Need {
  /** An upgrade has a target; a rollback or a resume has its own. */
  target: boolean
  /** It has a target of its own: a manifest that cannot be read does not stop it. */
  withoutManifest?: true
  /** Runs that are shown as they go. */
  progress: boolean
}

/** What a service already has and a command creates. */
export interface Given {
  config: Config
  emit: Emit
  signal: AbortSignal
  /** Ends a wait for other hosts; null where nothing waits. */
  wait: AbortSignal | null
}

export interface Opened {
  app: App
  wanted: Wanted
  /** Leaves the screen clean, and the host unlocked. */
  end: () => void
}
