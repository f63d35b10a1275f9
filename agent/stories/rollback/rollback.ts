import { AgentError, ExitCode, isError, type Problem } from '../../core/errors.ts'
import type { ObservedNode } from '../../core/model.ts'
import { type Cordon, cordonOf } from '../../core/plan/cordon.ts'
import { joinParts, type Leftovers, type PlannedChange } from '../../core/plan/part.ts'
import type { OldContainer } from '../../core/plan/plan.ts'
import { refusalOf } from '../../core/preflight.ts'
import type { Report } from '../../core/report/report.ts'
import type { Wanted } from '../../core/wanted.ts'
import { isCommittedRun, type RunState } from '../../journal/run-state.ts'
import { observeCluster } from '../../observe/kubernetes.ts'
import { type App, carryOut, resumeInterrupted } from '../app.ts'
import { refuseCopied } from '../copied-journal.ts'
import { onlyExisting } from '../existing.ts'
import { endingTurn, withTurnEnded } from '../fleet/end-turn.ts'
import { recordOutcome } from '../fleet/host-record.ts'
import { recheckOf } from '../recheck.ts'
import { type InPlace, leftoversOf, replacedBy, replacedControllers } from '../replaced.ts'
import { unstarted } from '../run-report.ts'
import { asItDials, rollbackParts } from './rollback-parts.ts'

/** Puts back what the last committed run, or the run that is named, replaced. */
export async function rollback(app: App, wanted: Wanted, named: string | undefined): Promise<Report> {
  await app.lock('rollback')
  const earlier = await resumeInterrupted(app)
  if (earlier?.outcome === 'stuck') return await withTurnEnded(app, earlier)
  // the way back waits for nobody: the engine is asked after it
  return await endingTurn(app, () => goBack(app, wanted, named))
}

async function goBack(app: App, wanted: Wanted, named: string | undefined): Promise<Report> {
  const { change, problems, recheck } = await planRollback(app, wanted, named)
  if (change === null) return unmoved(problems)
  const report = await carryOut(app, change.plan, problems, change.diff, recheck)
  await recordOutcome(app, wanted, report)
  return report
}

/** The same, computed but not carried out. An interrupted run stays as it is. */
export async function rollbackPlan(app: App, wanted: Wanted, named: string | undefined): Promise<Report> {
  const { change, problems } = await planRollback(app, wanted, named)
  return change === null ? unmoved(problems) : unstarted('planned', change.plan, problems, change.diff)
}

const unmoved = (problems: Problem[]): Report =>
  unstarted(problems.some(isError) ? refusalOf(problems) : 'unchanged', null, problems)

/** A null change: something bars it, as the problems say, or what the run replaced is back already. */
interface Planned {
  change: PlannedChange | null
  problems: Problem[]
  recheck?: ReturnType<typeof recheckOf>
}

async function planRollback(app: App, wanted: Wanted, named: string | undefined): Promise<Planned> {
  const history = await app.runs.history()
  const undone = findRun(history, named)
  await refuseCopied(undone, app)
  const run = app.newRun()
  const back = await rollbackParts(app, wanted, undone, run)
  const problems = back.flatMap((part) => part.problems)
  const parts = back.flatMap(({ part }) => part ?? [])
  if (problems.some(isError) || parts.length === 0) return { change: null, problems }
  const leftovers = await leftoversOfRollback(app, wanted, history, undone)
  const node = replacedBy(undone)
  const target = node ? { ...wanted, node: { ...wanted.node, image: node.image } } : wanted
  const next = (found: ObservedNode) => (node ? asItDials(app, found, node) : Promise.resolve(found))
  const { cordon, problem } = await cordonIfPossible(app, wanted, run)
  const warnings = problem ? [...problems, problem] : problems
  const change = joinParts({ run, command: 'rollback' }, parts, leftovers, cordon)
  return { change, problems: warnings, recheck: recheckOf(app, target, warnings, next) }
}

/** A rollback is urgent: an API server that is down does not stop it. */
async function cordonIfPossible(
  { ports }: App,
  wanted: Wanted,
  run: string,
): Promise<{ cordon: Cordon | null; problem: Problem | null }> {
  const hostname = wanted.kubernetes && (await ports.docker.info()).name
  const cluster = hostname && (await observeCluster(wanted, ports.kubernetes, hostname))
  if (!cluster) return { cordon: null, problem: null }
  const allow = [...wanted.allow, 'kubernetes-unreachable']
  const cordon = cordonOf(run, { cluster }, { ...wanted, allow })
  return { cordon, problem: cluster.problem && { ...cluster.problem, severity: 'warning' } }
}

function findRun(history: RunState[], named: string | undefined): RunState {
  const committed = history.filter(isCommittedRun)
  const found = named === undefined ? committed[0] : committed.find(({ plan }) => plan.run === named)
  if (found) return found
  if (named === undefined) {
    throw new AgentError('nothing-to-roll-back', 'cannot roll back: no committed run on record', {
      fix: 'to install another version: calico-agent upgrade --node IMAGE',
    })
  }
  const known = committed.map(({ plan }) => plan.run).join(', ')
  throw new AgentError('unknown-run', `cannot roll back ${named}: no committed run has this name`, {
    fix: known === '' ? 'no committed run on record' : `runs that can be rolled back: ${known}`,
    exitCode: ExitCode.usage,
  })
}

async function leftoversOfRollback(
  app: App,
  wanted: Wanted,
  history: RunState[],
  undone: RunState,
): Promise<Leftovers> {
  const node = replacedBy(undone)
  const controllers = replacedControllers(undone)
  const place = async (old: OldContainer | null): Promise<InPlace> => {
    const container = old && (await app.ports.docker.inspectContainer(old.name))
    return { running: container ? { container } : null, image: old && { ref: old.image } }
  }
  const places = { node: await place(node), controllers: await place(controllers) }
  const kept = [node, controllers].flatMap((old) => old?.id ?? [])
  return await onlyExisting(leftoversOf(history, wanted.keepImages, places, kept), app.ports)
}
