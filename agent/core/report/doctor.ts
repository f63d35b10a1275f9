import type { Problem } from '../errors.ts'

/** What one preflight rule found; a rule that found several things has as many. */
export interface DoctorCheck {
  /** The rule's name, or that of the problem. */
  code: string
  /** Of the problem, or of the one that there would be. */
  severity: Problem['severity']
  passes: boolean
  /** The sentence that holds where the check passes. */
  about: string
  /** What shows it; where it does not pass, the problem. */
  seen: string
  /** Null where the check passes. */
  fix: string | null
  /** Which of several it is about. */
  subject?: string
}

/** The JSON of `doctor`. */
export interface DoctorReport {
  schema: 1
  /** The upgrade can start. */
  ready: boolean
  /** The image to upgrade to; null where none is asked for. */
  target: string | null
  checks: DoctorCheck[]
}
