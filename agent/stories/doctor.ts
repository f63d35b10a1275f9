import type { Problem } from '../core/errors.ts'
import { type Observed } from '../core/model.ts'
import { RULES } from '../core/preflight.ts'
import type { DoctorCheck, DoctorReport } from '../core/report/doctor.ts'
import type { Rule } from '../core/rules/rule.ts'
import { hasTarget, type Wanted } from '../core/wanted.ts'
import { cordonProblem } from '../observe/kubernetes.ts'
import { observe, observeHost } from '../observe/observe.ts'
import type { App } from './app.ts'

/** Every preflight rule that has something to look at. Without a target no registry is asked. */
export async function doctor(
  { ports, ...looking }: Pick<App, 'ports' | 'emit' | 'signal'>,
  wanted: Wanted,
): Promise<DoctorReport> {
  const observed = hasTarget(wanted)
    ? await observe(wanted, ports, looking, () => null)
    : await withCordonAsked(await observeHost(wanted, ports, looking.signal), wanted, ports)
  return reportOf(
    wanted.node.image,
    RULES.flatMap((rule) => checksOf(rule, observed, wanted)),
  )
}

/** Without a target, nothing else checks whether the Node may be cordoned. */
async function withCordonAsked(
  observed: Observed,
  wanted: Wanted,
  { kubernetes }: Pick<App['ports'], 'kubernetes'>,
): Promise<Observed> {
  const { node, problem } = observed.cluster ?? {}
  if (!node || problem || !kubernetes || wanted.kubernetes?.cordon !== true) return observed
  return { ...observed, cluster: { node, problem: await cordonProblem(node.name, kubernetes) } }
}

/** The report of a host that cannot be observed. */
export function emptyDoctorReport(problems: Problem[]): DoctorReport {
  return reportOf(
    null,
    problems.map((problem) => failed(problem, 'the agent can inspect this host')),
  )
}

function checksOf(rule: Rule, observed: Observed, wanted: Wanted): DoctorCheck[] {
  const finding = rule.look(observed, wanted)
  if (finding === null) return []
  const { code, severity } = rule
  const { about } = finding
  if (finding.problems.length > 0) return finding.problems.map((problem) => failed(problem, about))
  return [{ code, severity, passes: true, about, seen: finding.seen, fix: null }]
}

function failed({ code, severity, message, fix, subject }: Problem, about: string): DoctorCheck {
  return {
    code,
    severity,
    passes: false,
    about,
    seen: message,
    fix,
    ...(subject !== undefined && { subject }),
  }
}

function reportOf(target: string | null, checks: DoctorCheck[]): DoctorReport {
  const ready = checks.every(({ passes, severity }) => passes || severity === 'warning')
  return { schema: 1, ready, target, checks }
}
