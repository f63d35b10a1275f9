import { type App, carryOut, resumeInterrupted } from './app.ts'
import { rollbackPlan } from './core/build-plan.ts'
import { AgentError, ExitCode } from './core/errors.ts'
import type { Wanted } from './core/model.ts'
import type { OldContainer } from './core/plan.ts'
import { preflightRollback } from './core/preflight.ts'
import type { Report } from './core/report.ts'
import { isCommittedRun, type RunState } from './journal/run-state.ts'
import { observeHost } from './observe/observe.ts'
import { unstarted } from './outcome.ts'
import { leftoversOf, replacedBy } from './replaced.ts'

/** Puts back what the last committed run, or the run that is named, replaced. */
export async function rollback(app: App, wanted: Wanted, run: string | undefined): Promise<Report> {
  await app.lock('rollback')
  const earlier = await resumeInterrupted(app)
  if (earlier?.outcome === 'stuck') return earlier

  const history = await app.runs.history()
  const old = findReplaced(history, run)
  const target = { ...wanted, node: { ...wanted.node, image: old.image, container: old.name } }
  const seen = await observeHost(target, app.ports)
  const { node, engine } = seen
  const problems = preflightRollback(seen, target)
  if (node === null || problems.some(({ severity }) => severity === 'error')) {
    return unstarted('refused', null, problems)
  }
  const runs = node.unit ? node.container.Image === old.imageId : node.container.Id === old.id
  if (runs && node.container.State.Running) return unstarted('unchanged', null, problems)
  const { plan, diff } = rollbackPlan({
    run: app.newRun(),
    wanted: target,
    engineHostname: engine.name,
    node,
    leftovers: leftoversOf(history, wanted.keepImages, { node, image: { ref: old.image } }, [old.id]),
    replaced: await stateOfReplaced(app, old),
  })
  return await carryOut(app, plan, problems, diff)
}

function findReplaced(history: RunState[], run: string | undefined): OldContainer {
  const committed = history.filter(isCommittedRun)
  const found = run === undefined ? committed[0] : committed.find(({ plan }) => plan.run === run)
  const old = found && replacedBy(found)
  if (old) return old
  if (run === undefined) {
    throw new AgentError('nothing-to-roll-back', 'cannot roll back: no committed run is on record here', {
      fix: 'agent upgrade --node IMAGE puts another version in place',
    })
  }
  const known = committed.map(({ plan }) => plan.run).join(', ')
  throw new AgentError('unknown-run', `cannot roll back ${run}: no committed run has this name`, {
    fix: known === '' ? 'no committed run is on record here' : `runs that can be rolled back: ${known}`,
    exitCode: ExitCode.usage,
  })
}

/** Whether the parked container is still there, or is to be made again, and from which image. */
async function stateOfReplaced({ ports: { docker } }: App, old: OldContainer) {
  const [parked, byId, byName] = await Promise.all([
    docker.inspectContainer(old.id),
    docker.inspectImage(old.imageId),
    docker.inspectImage(old.image),
  ])
  const image = byId && byName?.Id !== old.imageId ? old.imageId : old.image
  return {
    old,
    parked: parked !== undefined,
    image,
    imageIsLocal: byId !== undefined || byName !== undefined,
  }
}
