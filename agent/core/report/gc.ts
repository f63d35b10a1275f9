import type { Problem } from '../errors.ts'

/** The JSON of `gc`: what was removed; with `--check`, what would be. */
export interface GcReport {
  schema: 1
  changed: boolean
  /** Parked containers, by name. */
  containers: string[]
  images: string[]
  /** Paths of files that were kept, or staged. */
  files: string[]
  /** Names of runs. */
  journals: string[]
  problems: Problem[]
}
