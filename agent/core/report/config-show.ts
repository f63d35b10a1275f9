import type { Problem } from '../errors.ts'

/** Who says what a key has. */
export type Origin =
  | { from: 'file'; file: string; line: number }
  | { from: 'flag'; flag: string }
  /** The built-in table: of the images of this release. */
  | { from: 'release'; release: string }
  /** What `hosted.manifest` names. */
  | { from: 'manifest'; file: string }
  | { from: 'default' }

/** A key of the config with the value that is in force, secrets hidden. */
export interface Setting {
  key: string
  value: unknown
  origin: Origin
}

/** The JSON of `config show`. */
export interface ConfigShowReport {
  schema: 1
  /** In the order of docs/configuration.md; a key without a value is left out. */
  settings: Setting[]
  problems: Problem[]
}

export function emptyConfigShow(problems: Problem[]): ConfigShowReport {
  return { schema: 1, settings: [], problems }
}
