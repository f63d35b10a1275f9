import { type App, carryOut, resumeInterrupted } from './app.ts'
import { type BackPart, cniBackPart, cniConfigBackPart } from './core/back-plan.ts'
import { nodeOrUnitBack } from './core/build-plan.ts'
import { controllersBackPart } from './core/controllers-plan.ts'
import { AgentError, ExitCode, isError, type Problem } from './core/errors.ts'
import type { Observed, Wanted } from './core/model.ts'
import type { OldContainer } from './core/plan.ts'
import { joinParts, type Leftovers } from './core/plan-part.ts'
import { preflightRollback } from './core/preflight.ts'
import type { Report } from './core/report.ts'
import { isCommittedRun, type RunState } from './journal/run-state.ts'
import { observeHost } from './observe/observe.ts'
import { unstarted } from './outcome.ts'
import { type InPlace, leftoversOf, replacedBy, replacedControllers, swappedPlugins } from './replaced.ts'

/** Puts back what the last committed run, or the run that is named, replaced. */
export async function rollback(app: App, wanted: Wanted, named: string | undefined): Promise<Report> {
  await app.lock('rollback')
  const earlier = await resumeInterrupted(app)
  if (earlier?.outcome === 'stuck') return earlier

  const history = await app.runs.history()
  const undone = findRun(history, named)
  const run = app.newRun()
  const replaced = { node: replacedBy(undone), controllers: replacedControllers(undone) }
  const target = targetOf(wanted, replaced)
  const observed = replaced.node || replaced.controllers ? await observeHost(target, app.ports) : null
  const back = [
    observed && (await nodeBack({ app, target, observed, run }, replaced.node)),
    await pluginsBack(app, undone, run),
    await configBack(app, undone, run),
    observed && (await controllersBack({ app, target, observed, run }, replaced.controllers)),
  ].filter((part) => part !== null)
  const problems = back.flatMap((part) => part.problems)
  if (problems.some(isError)) return unstarted('refused', null, problems)
  const parts = back.flatMap(({ part }) => part ?? [])
  if (parts.length === 0) return unstarted('unchanged', null, problems)
  const leftovers = await leftoversOfRollback(app, wanted, history, replaced)
  const { plan, diff } = joinParts({ run, command: 'rollback' }, parts, leftovers)
  return await carryOut(app, plan, problems, diff)
}

function findRun(history: RunState[], named: string | undefined): RunState {
  const committed = history.filter(isCommittedRun)
  const found = named === undefined ? committed[0] : committed.find(({ plan }) => plan.run === named)
  if (found) return found
  if (named === undefined) {
    throw new AgentError('nothing-to-roll-back', 'cannot roll back: no committed run is on record here', {
      fix: 'agent upgrade --node IMAGE puts another version in place',
    })
  }
  const known = committed.map(({ plan }) => plan.run).join(', ')
  throw new AgentError('unknown-run', `cannot roll back ${named}: no committed run has this name`, {
    fix: known === '' ? 'no committed run is on record here' : `runs that can be rolled back: ${known}`,
    exitCode: ExitCode.usage,
  })
}

/** The containers that the run replaced; null where it did not. */
interface Replaced {
  node: OldContainer | null
  controllers: OldContainer | null
}

/** What was replaced is asked for again. */
function targetOf(wanted: Wanted, { node, controllers }: Replaced): Wanted {
  return {
    ...wanted,
    ...(node && { node: { ...wanted.node, image: node.image, container: node.name } }),
    // As for a release: what cannot be put back is left alone, and keeps nothing else from coming back.
    ...(controllers && {
      controllers: {
        ...wanted.controllers,
        image: controllers.image,
        onlyIfInstalled: true,
        container: controllers.name,
      },
    }),
  }
}

interface Seen {
  app: App
  target: Wanted
  observed: Observed
  run: string
}

async function nodeBack(
  { app, target, observed, run }: Seen,
  old: OldContainer | null,
): Promise<BackPart | null> {
  if (old === null) return null
  const { node, engine } = observed
  const problems = preflightRollback(observed, target, 'node')
  if (node === null) return { part: null, problems }
  const runs = node.unit ? node.container.Image === old.imageId : node.container.Id === old.id
  if (runs && node.container.State.Running) return { part: null, problems }
  if (problems.some(isError)) return { part: null, problems }
  const input = { run, wanted: target, engineHostname: engine.name, node }
  return { part: nodeOrUnitBack(input, await stateOfReplaced(app, old)), problems }
}

async function controllersBack(
  { app, target, observed, run }: Seen,
  old: OldContainer | null,
): Promise<BackPart | null> {
  if (old === null) return null
  const { controllers, engine } = observed
  if (controllers === null) return { part: null, problems: [controllersGone(old.name)] }
  const problems = preflightRollback(observed, target, 'controllers')
  if (problems.length > 0 || controllers.container.Id === old.id) return { part: null, problems }
  const input = { run, wanted: target, engineHostname: engine.name, controllers }
  return { part: controllersBackPart(input, await stateOfReplaced(app, old)), problems }
}

function controllersGone(name: string): Problem {
  return {
    code: 'no-controllers',
    severity: 'warning',
    message: `${name} is not put back: there is no such container any more`,
    fix: 'docker ps -a shows what there is',
  }
}

async function pluginsBack({ ports: { cni } }: App, undone: RunState, run: string): Promise<BackPart | null> {
  const swap = swappedPlugins(undone)
  if (swap === null) return null
  const names = swap.binaries.map(({ name }) => name)
  const [installed, kept] = await Promise.all([cni.installed(swap.binDir, names), cni.kept(swap, names)])
  const hashes = (facts: { sha256: string | null }[]) => facts.map(({ sha256 }) => sha256)
  return cniBackPart(run, { ...swap, installed: hashes(installed), kept: hashes(kept) })
}

async function configBack({ ports }: App, { plan }: RunState, run: string): Promise<BackPart | null> {
  const write = plan.steps.find((step) => step.kind === 'write-cni-config')
  return write ? cniConfigBackPart(run, write.args, await ports.configs.read(write.args.path)) : null
}

async function leftoversOfRollback(
  app: App,
  wanted: Wanted,
  history: RunState[],
  { node, controllers }: Replaced,
): Promise<Leftovers> {
  const place = async (old: OldContainer | null): Promise<InPlace> => {
    const container = old && (await app.ports.docker.inspectContainer(old.name))
    return { running: container ? { container } : null, image: old && { ref: old.image } }
  }
  const places = { node: await place(node), controllers: await place(controllers) }
  return leftoversOf(
    history,
    wanted.keepImages,
    places,
    [node, controllers].flatMap((old) => old?.id ?? []),
  )
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
