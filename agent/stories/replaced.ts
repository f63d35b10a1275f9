import type { ContainerJson } from '../core/docker/json.ts'
import type { Observed, ObservedImage } from '../core/model.ts'
import type { ReplacedPlugins } from '../core/plan/back.ts'
import { keptPaths } from '../core/plan/cni.ts'
import type { Leftovers } from '../core/plan/part.ts'
import type { OldContainer, StepArgs } from '../core/plan/plan.ts'
import { isSettled } from '../journal/commits.ts'
import { isCommittedRun, type RunState } from '../journal/run-state.ts'
import type { KnownContent } from '../observe/cni-binaries.ts'
import type { StepBefore } from '../steps/step.ts'

/** The calico/node that a committed run replaced. */
export function replacedBy({ plan }: RunState): OldContainer | null {
  for (const step of plan.steps)
    if (step.kind === 'swap-container' || step.kind === 'swap-unit') return step.args.old
  return null
}

/** The pod of a DaemonSet that a run replaced. */
export function swappedDaemonSetPod({ plan }: RunState): StepArgs['swap-pod'] | null {
  return plan.steps.find((step) => step.kind === 'swap-pod')?.args ?? null
}

/** The controllers that a committed run replaced; null where they came back to what they were. */
export function replacedControllers(run: RunState): OldContainer | null {
  if (!isSettled(run, 'controllers')) return null
  for (const step of run.plan.steps)
    if (step.kind === 'swap-controllers' || step.kind === 'swap-controllers-unit') return step.args.old
  return null
}

/** The swap of a static pod that a run committed. */
export function swappedPod(run: RunState): StepArgs['swap-static-pod'] | null {
  const swap = run.plan.steps.find((step) => step.kind === 'swap-static-pod')
  return swap && isSettled(run, 'controllers') ? swap.args : null
}

/** The change of a Deployment that a run committed. */
export function swappedDeployment(run: RunState): StepArgs['swap-deployment'] | null {
  const swap = run.plan.steps.find((step) => step.kind === 'swap-deployment')
  return swap && isSettled(run, 'controllers') ? swap.args : null
}

type SwappedPlugins = Pick<ReplacedPlugins, 'run' | 'binDir' | 'binaries'>

/** The plugins that a run replaced; null where it replaced none. */
export function swappedPlugins({ plan, steps }: RunState): SwappedPlugins | null {
  const index = plan.steps.findIndex(({ kind }) => kind === 'swap-binaries')
  const step = plan.steps[index]
  const before = steps[index]?.before as StepBefore['swap-binaries'] | undefined
  if (step?.kind !== 'swap-binaries' || before === undefined) return null
  return { run: plan.run, binDir: step.args.binDir, binaries: before.binaries }
}

/** What the next run may change: what runs, and the requested image. */
export interface InPlace {
  running: { container: ContainerJson } | null
  image: Pick<ObservedImage, 'ref'> | null
}

/**
 * What the next commit may remove: the containers that earlier runs parked, and the images they replaced beyond
 * the `keepImages` newest. What runs now and what it is replaced with stay; nothing is removed if neither changes.
 */
export function leftoversOf(
  history: RunState[],
  keepImages: number,
  { node, controllers }: { node: InPlace; controllers: InPlace },
  kept: string[] = [],
): Leftovers {
  const committed = history.filter(isCommittedRun)
  const parts = [
    { place: node, replaced: committed.map(replacedBy) },
    { place: controllers, replaced: committed.map(replacedControllers) },
  ]
  const all = parts.map(({ place, replaced }) =>
    leftoversBeside(
      place,
      replaced.filter((old) => old !== null),
      keepImages,
      kept,
    ),
  )
  return {
    containers: all.flatMap(({ containers }) => containers),
    images: all.flatMap(({ images }) => images),
    files: keptFiles(history),
  }
}

function leftoversBeside(
  { running, image }: InPlace,
  replaced: OldContainer[],
  keepImages: number,
  kept: string[],
): Pick<Leftovers, 'containers' | 'images'> {
  if (!running || !image) return { containers: [], images: [] }
  // what is being replaced now becomes the newest way back
  const images = new Set([running.container.Config.Image, ...replaced.map(({ image: ref }) => ref)])
  images.delete(image.ref)
  const inUse = [running.container.Id, ...kept]
  return {
    containers: replaced.map(({ id }) => id).filter((id) => !inUse.includes(id)),
    images: [...images].slice(keepImages),
  }
}

/** As the host was observed. */
export function inPlace({
  node,
  image,
  controllers,
  controllersImage,
}: Pick<Observed, 'node' | 'image' | 'controllers' | 'controllersImage'>) {
  return {
    node: { running: node, image },
    // images of a pod are the kubelet's to remove
    controllers: {
      running: controllers?.owner.kind === 'deployment' ? null : controllers,
      image: controllersImage,
    },
  }
}

/** The plugins that committed runs kept, and no later one removed. */
function keptFiles(history: RunState[]): string[] {
  const steps = history.filter(isCommittedRun).flatMap(({ plan }) => plan.steps)
  const removed = new Set(steps.flatMap((step) => (step.kind === 'clean-up' ? (step.args.files ?? []) : [])))
  const kept = steps.flatMap((step) => (step.kind === 'swap-binaries' ? keptPaths(step.args) : []))
  return kept.filter((path) => !removed.has(path))
}

/** The plugins of an image, as earlier runs read them from it. */
export function knownContent(history: RunState[]): KnownContent {
  const swaps = history.flatMap(({ plan, steps }) =>
    plan.steps.flatMap(({ kind }, i) => (kind === 'swap-binaries' ? [steps[i]?.before] : [])),
  ) as (StepBefore['swap-binaries'] | undefined)[]
  return (imageId, names) => {
    for (const swap of swaps.filter((one) => one?.image === imageId)) {
      const found = names.flatMap((name) => swap?.binaries.find((one) => one.name === name) ?? [])
      if (found.length === names.length) return found.map(({ name, sha256 }) => ({ name, sha256 }))
    }
    return null
  }
}
