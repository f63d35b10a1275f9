import type { Problem } from '../errors.ts'

/** What one preflight rule found; a rule that found several things has as many. */
export interface DoctorCheck {
  /** The rule's name, or that of the problem. */
  code: string
  /** Of the problem, or of the one that there would be. */
  severity: Problem['severity']
  passes: boolean
  /** What is to hold. */
  about: string
  /** What was found. */
  seen: string
  /** Null where nothing is to be done. */
  fix: string | null
  /** What of several it is about. */
  subject?: string
}

/** The JSON of `doctor`. */
export interface DoctorReport {
  schema: 1
  /** Nothing stands against an upgrade. */
  ready: boolean
  /** The image that was looked at as well; null where none is asked for. */
  target: string | null
  checks: DoctorCheck[]
}
