import type { Problem } from '../errors.ts'

/** The JSON of `config check`. */
export interface ConfigCheckReport {
  schema: 1
  valid: boolean
  /** What the config asks for, in one line; null where it asks for nothing, or is invalid. */
  target: string | null
  /** What is wrong, each with its line and column. */
  problems: Problem[]
}

export function invalidConfig(problems: Problem[]): ConfigCheckReport {
  return { schema: 1, valid: false, target: null, problems }
}
