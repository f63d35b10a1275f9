import type { Problem } from '../errors.ts'
import type { Observed } from '../model.ts'
import type { Wanted } from '../wanted.ts'

/** What prevents an upgrade; what it leaves out comes from the rule. */
export type Objection = Pick<Problem, 'message' | 'fix'> & Partial<Problem>

/** One preflight rule about a subject, such as the container or its BIRD. */
export interface RuleOn<Subject> {
  /** Name of the problem, and of the rule for `--allow`. */
  code: string
  severity: Problem['severity']
  allowable?: true
  /** The problem goes away by itself: the upgrade is deferred, not refused. */
  deferrable?: true
  /** The sentence that is true if nothing is wrong, and the evidence for it. */
  about: string | ((subject: Subject) => string)
  seen(subject: Subject): string
  check(subject: Subject): Objection[] | Objection | null
}

interface Finding {
  about: string
  seen: string
  problems: Problem[]
}

export type Rule = Pick<RuleOn<never>, 'code' | 'severity'> & {
  allowable: boolean
  deferrable: boolean
  /** Null if this host has nothing that the rule is about. */
  look(observed: Observed, wanted: Wanted): Finding | null
}

/** Rules about the same subject. */
export function rulesOn<Subject>(
  subjectOf: (observed: Observed, wanted: Wanted) => Subject | null,
  rules: RuleOn<Subject>[],
): Rule[] {
  return rules.map((rule) => {
    const { code, severity, about, allowable = false, deferrable = false } = rule
    return {
      ...{ code, severity, allowable, deferrable },
      look(observed, wanted) {
        const subject = subjectOf(observed, wanted)
        if (subject === null) return null
        const objections = [rule.check(subject) ?? []].flat()
        const problems = objections.map((objection) => problemOf(rule, objection, wanted.allow))
        return {
          about: typeof about === 'string' ? about : about(subject),
          seen: objections.length === 0 ? rule.seen(subject) : '',
          problems,
        }
      },
    }
  })
}

function problemOf(rule: RuleOn<never>, objection: Objection, allow: string[]): Problem {
  const problem: Problem = { code: rule.code, severity: rule.severity, ...objection }
  if (rule.allowable !== true || problem.severity === 'warning') return problem
  if (allow.includes(rule.code))
    return { ...problem, severity: 'warning', message: `${problem.message} (allowed)` }
  return { ...problem, fix: `${problem.fix}; --allow ${rule.code} overrides` }
}

/** What only a release requests is left alone, with a warning. */
export function notReplaced(name: string, why: string, fix: string, byRelease: boolean): Objection {
  return byRelease
    ? { severity: 'warning', message: `${name} is left alone: ${why}`, fix }
    : { message: `cannot upgrade ${name}: ${why}`, fix }
}
