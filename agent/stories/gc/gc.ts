import type { Problem } from '../../core/errors.ts'
import type { Leftovers } from '../../core/plan/part.ts'
import type { GcReport } from '../../core/report/gc.ts'
import type { Wanted } from '../../core/wanted.ts'
import { isStuck, moves, type RunState } from '../../journal/run-state.ts'
import { bindStep } from '../../steps/registry.ts'
import { type App, isUnfinished } from '../app.ts'
import { type Existing, findExisting } from '../existing.ts'
import { interruptedRun, stuckRun } from '../unsettled-run.ts'
import { unreferenced, waysBack } from './unreferenced.ts'

type WantedKept = Pick<Wanted, 'keepImages' | 'node' | 'controllers'>
type GcApp = Pick<App, 'ports' | 'runs' | 'lock' | 'keepRuns' | 'signal' | 'emit'>

/** Removes what retention no longer keeps, by the step that cleans up after a commit. */
export async function gc(app: GcApp, wanted: WantedKept): Promise<GcReport> {
  await app.lock('gc')
  const there = await find(app, wanted)
  const problems = await remove(app, there)
  const left = await findExisting(idsOf(there), app.ports)
  const journals = await app.runs.prune(app.keepRuns)
  return reportOf(without(there, left), journals, problems)
}

/** Finds the same, but removes nothing. */
export async function planGc(app: GcApp, wanted: WantedKept): Promise<GcReport> {
  return reportOf(await find(app, wanted), await app.runs.beyond(app.keepRuns), [])
}

/** The report if the search is not possible. */
export function emptyGcReport(problems: Problem[]): GcReport {
  return reportOf({ containers: [], images: [], files: [] }, [], problems)
}

async function find(app: GcApp, wanted: WantedKept): Promise<Existing> {
  const history = await app.runs.history()
  refuseUnsettled(history)
  const { docker } = app.ports
  const { node, controllers } = waysBack(history)
  const bearers = {
    node: node ? await docker.inspectContainer(node.name) : undefined,
    controllers: controllers ? await docker.inspectContainer(controllers.name) : undefined,
  }
  const asked = [wanted.node.image, wanted.controllers.image].filter((image) => image !== null)
  const garbage = unreferenced(history, bearers, { images: wanted.keepImages, asked })
  return await findExisting(garbage, app.ports)
}

/** What is left may be all that the run can be settled with. */
function refuseUnsettled(history: RunState[]): void {
  const interrupted = history.find(isUnfinished)
  if (interrupted) throw interruptedRun('remove anything', interrupted)
  const [newest] = moves(history)
  if (newest && isStuck(newest)) throw stuckRun('remove anything', newest)
}

async function remove({ ports, signal, emit }: GcApp, found: Existing): Promise<Problem[]> {
  const step = bindStep({ kind: 'clean-up', component: 'node', args: idsOf(found) })
  const context = { ...ports, signal, emit, index: 0, since: ports.clock.now() }
  await step.do({}, context)
  return (await step.verify({}, context)).problems ?? []
}

function idsOf({ containers, images, files }: Existing): Leftovers {
  return { containers: containers.map(({ id }) => id), images, files }
}

function without(found: Existing, left: Existing): Existing {
  return {
    containers: found.containers.filter(({ id }) => !left.containers.some((one) => one.id === id)),
    images: found.images.filter((image) => !left.images.includes(image)),
    files: found.files.filter((path) => !left.files.includes(path)),
  }
}

function reportOf(
  { containers, images, files }: Existing,
  journals: string[],
  problems: Problem[],
): GcReport {
  const changed = containers.length + images.length + files.length + journals.length > 0
  const names = containers.map(({ name }) => name)
  return { schema: 1, changed, containers: names, images, files, journals, problems }
}
