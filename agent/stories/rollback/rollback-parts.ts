import { nameOfContent } from '../../core/docker/image-ref.ts'
import { AgentError, isError, type Problem } from '../../core/errors.ts'
import { known } from '../../core/known.ts'
import { observedDeployment } from '../../core/kubernetes/deployment.ts'
import { rolloutOf } from '../../core/kubernetes/rollout.ts'
import type { Observed, ObservedControllers, ObservedNode } from '../../core/model.ts'
import { type BackPart, cniBackPart, cniConfigBackPart } from '../../core/plan/back.ts'
import { controllersOrUnitBack, nodeOrUnitBack } from '../../core/plan/build.ts'
import { canBeUpgraded } from '../../core/plan/controllers.ts'
import { daemonSetBackPart, isPodBack } from '../../core/plan/daemon-set-back.ts'
import { deploymentBackPart } from '../../core/plan/deployment.ts'
import { manifestBackPart } from '../../core/plan/manifest.ts'
import type { OldContainer, StepArgs } from '../../core/plan/plan.ts'
import { staticPodBackPart } from '../../core/plan/static-pod.ts'
import { imagesAmong } from '../../core/plan/swapped-images.ts'
import { staticPodProblem } from '../../core/pod/static-pod.ts'
import { preflightWithoutImage } from '../../core/preflight.ts'
import type { Wanted } from '../../core/wanted.ts'
import type { RunState } from '../../journal/run-state.ts'
import { withConfig } from '../../observe/bird-config.ts'
import { observeHost } from '../../observe/observe.ts'
import { apiOf } from '../../steps/cluster/object.ts'
import type { App } from '../app.ts'
import {
  replacedBy,
  replacedControllers,
  swappedDaemonSetPod,
  swappedDeployment,
  swappedPlugins,
  swappedPod,
} from '../replaced.ts'

/** What the run replaced; null where it did not. */
interface Replaced {
  node: OldContainer | null
  daemonSetPod: StepArgs['swap-pod'] | null
  controllers: OldContainer | null
  pod: StepArgs['swap-static-pod'] | null
}

interface Seen {
  app: App
  target: Wanted
  observed: Observed
  run: string
}

/** The plan parts that restore what a run replaced. Observes the host once, if a container must come back. */
export async function rollbackParts(
  app: App,
  wanted: Wanted,
  undone: RunState,
  run: string,
): Promise<BackPart[]> {
  const replaced: Replaced = {
    node: replacedBy(undone),
    daemonSetPod: swappedDaemonSetPod(undone),
    controllers: replacedControllers(undone),
    pod: swappedPod(undone),
  }
  const { node, daemonSetPod, controllers, pod } = replaced
  const target = targetOf(wanted, replaced)
  const isSeen = node ?? daemonSetPod ?? controllers ?? pod
  const observed = isSeen ? await observeHost(target, app.ports, app.signal) : null
  const seen = observed && { app, target, observed, run }
  const deployment = swappedDeployment(undone)
  const all = [
    seen && node && (await nodeBack(seen, node)),
    seen && daemonSetPod && (await daemonSetBack(seen, daemonSetPod)),
    await pluginsBack(app, undone, run),
    await configBack(app, undone, run),
    seen && controllers && (await controllersBack(seen, controllers)),
    seen && pod && (await podBack(seen, pod)),
    manifestBackPart(undone.plan),
  ]
  const others = all.filter((part) => part !== null)
  if (deployment === null) return others
  return [
    ...others,
    await deploymentBack(app, wanted, deployment, {
      run,
      isAlone: others.every(({ part }) => part === null),
    }),
  ]
}

/** The replaced version is requested again. */
function targetOf(wanted: Wanted, { node, daemonSetPod, controllers, pod }: Replaced): Wanted {
  const image = controllers?.image ?? pod?.from
  const container = controllers?.name ?? pod?.pod.container
  return {
    ...wanted,
    ...(node && { node: { ...wanted.node, image: node.image, container: node.name } }),
    ...(daemonSetPod && {
      node: { ...wanted.node, image: daemonSetPod.from, container: daemonSetPod.container },
    }),
    // As for a release: what cannot be restored is left alone, and does not prevent the rest.
    ...(image !== undefined &&
      container !== undefined && {
        controllers: { ...wanted.controllers, image, onlyIfInstalled: true, container },
      }),
  }
}

async function nodeBack({ app, target, observed, run }: Seen, old: OldContainer): Promise<BackPart> {
  const { node, engine } = observed
  const problems = preflightWithoutImage(observed, target, 'node')
  if (node === null) return { part: null, problems }
  if (isBack(node, old) && node.container.State.Running) return { part: null, problems }
  if (problems.some(isError)) return { part: null, problems }
  const replaced = await stateOfReplaced(app, old)
  const dialled = await asItDials(app, node, old)
  const input = { run, wanted: target, engineHostname: engine.name, node: dialled }
  return { part: nodeOrUnitBack(input, replaced), problems }
}

async function daemonSetBack(
  { app, target, observed, run }: Seen,
  swap: StepArgs['swap-pod'],
): Promise<BackPart> {
  const { node, engine } = observed
  const problems = preflightWithoutImage(observed, target, 'node')
  const daemonSet = known(node?.daemonSet)
  const isBarred = problems.some(isError) || node === null || daemonSet === null
  if (isBarred || isPodBack(daemonSet, swap)) return { part: null, problems }
  const input = { run, wanted: target, engineHostname: engine.name, runtime: engine.runtime, node, daemonSet }
  const part = daemonSetBackPart(input, swap, await missingImages(app, swap))
  return { part, problems: part.diff.length > 0 ? [...problems, templateBack(swap)] : problems }
}

function templateBack({ set: { namespace, name } }: StepArgs['swap-pod']): Problem {
  return {
    code: 'template-back',
    severity: 'warning',
    message: `this rollback restores the old template of DaemonSet ${namespace}/${name}, which all hosts share: a pod that is recreated on another host gets the old images`,
    fix: 'run calico-agent rollback on the other hosts as well, or calico-agent upgrade here again',
  }
}

/** What the old pod needs and this host does not have; of calico/node, the image that ran here. */
async function missingImages(
  { ports: { docker } }: App,
  { images, from, old }: StepArgs['swap-pod'],
): Promise<string[]> {
  const missing = new Set<string>()
  for (const one of imagesAmong(images)) {
    const image = one.admitted ?? one.from
    const local = await docker.inspectImage(image)
    if (!local || (image === from && local.Id !== old.imageId)) missing.add(image)
  }
  return [...missing]
}

/** A parked container has its own config: before v3.4 its BIRD dials neighbors that the running one waits for. */
export async function asItDials(
  { ports }: Pick<App, 'ports'>,
  node: ObservedNode,
  old: OldContainer,
): Promise<ObservedNode> {
  // a unit's container is gone, and the unit creates the next one
  if ((await ports.docker.inspectContainer(old.id)) === undefined) return node
  const parked = await withConfig(node.daemons, old.id, ports.docker)
  const daemons = node.daemons.map((daemon, i) => {
    const { neighbors = [], listenPort = 0 } = parked[i] ?? {}
    return neighbors.length > 0 ? { ...daemon, neighbors, listenPort } : daemon
  })
  return { ...node, daemons }
}

async function controllersBack({ app, target, observed, run }: Seen, old: OldContainer): Promise<BackPart> {
  const { controllers, engine } = observed
  if (controllers === null) return { part: null, problems: [controllersGone(old.name)] }
  const problems = preflightWithoutImage(observed, target, 'controllers')
  const replaced = await stateOfReplaced(app, old)
  if (problems.some(isError) || !canBeUpgraded(controllers, replaced.image) || isBack(controllers, old))
    return { part: null, problems }
  const input = { run, wanted: target, engineHostname: engine.name, controllers }
  return { part: controllersOrUnitBack(input, replaced), problems }
}

/** A unit creates a new container at each start: then compare the image. */
function isBack({ container, unit }: Pick<ObservedControllers, 'container' | 'unit'>, old: OldContainer) {
  return unit ? container.Image === old.imageId : container.Id === old.id
}

function controllersGone(name: string): Problem {
  return {
    code: 'no-controllers',
    severity: 'warning',
    message: `${name} was not put back: the container no longer exists`,
    fix: 'docker ps -a lists the containers',
  }
}

async function podBack(
  { app, target, observed, run }: Seen,
  swap: StepArgs['swap-static-pod'],
): Promise<BackPart> {
  // a container that does not stay up is what a rollback is for
  const problems = preflightWithoutImage(observed, target, 'controllers').filter(
    ({ code }) => code !== 'controllers-not-running',
  )
  const { controllers } = observed
  const isBarred = controllers?.pod && staticPodProblem(controllers.pod, controllers.container) !== null
  if (problems.some(isError) || isBarred === true) return { part: null, problems }
  const isLocal = (await app.ports.docker.inspectImage(swap.from)) !== undefined
  const input = { run, wanted: target, controllers }
  const back = staticPodBackPart(input, swap, isLocal)
  return { ...back, problems: [...problems, ...back.problems] }
}

/** An API server that is away keeps nothing else from coming back. */
async function deploymentBack(
  { ports: { kubernetes } }: App,
  wanted: Wanted,
  swap: StepArgs['swap-deployment'],
  { run, isAlone }: { run: string; isAlone: boolean },
): Promise<BackPart> {
  try {
    const rollout = await rolloutOf(apiOf({ kubernetes }), swap.deployment)
    const deployment = rollout && observedDeployment(rollout, swap.container)
    return deploymentBackPart({ run, wanted, deployment }, swap)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return { part: null, problems: [{ ...error.asProblem(), severity: isAlone ? 'error' : 'warning' }] }
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
  if (write === undefined) return null
  const { path } = write.args
  // check early: otherwise it fails with the old node already up, and that would be undone
  const unusable = await ports.configs.directoryProblem(path.replace(/\/[^/]*$/, ''))
  if (unusable) return { part: null, problems: [{ ...unusable, severity: 'warning' }] }
  return cniConfigBackPart(run, write.args, await ports.configs.read(path))
}

/** Whether the parked container still exists or must be recreated, and from which image. */
async function stateOfReplaced({ ports: { docker } }: App, old: OldContainer) {
  const [parked, byId, byName] = await Promise.all([
    docker.inspectContainer(old.id),
    docker.inspectImage(old.imageId),
    docker.inspectImage(old.image),
  ])
  return {
    old,
    parked: parked !== undefined,
    image: byId ? nameOfContent(old.image, byId, byName) : old.image,
    // another image with its name is not what ran here: the registry may still have it
    imageIsLocal: byId !== undefined,
    imageConfig: byId?.Config ?? null,
  }
}
