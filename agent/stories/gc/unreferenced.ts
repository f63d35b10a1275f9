import { flatStagedName, stagingName } from '../../core/cni/files.ts'
import type { ContainerJson } from '../../core/docker/json.ts'
import { keptPaths } from '../../core/plan/cni.ts'
import type { Leftovers } from '../../core/plan/part.ts'
import type { OldContainer } from '../../core/plan/plan.ts'
import { isCommittedRun, type RunState } from '../../journal/run-state.ts'
import { type InPlace, leftoversOf, replacedBy, replacedControllers } from '../replaced.ts'

/** The newest way back of each: what `calico-agent rollback` restores. */
export interface WaysBack {
  node: OldContainer | null
  controllers: OldContainer | null
}

/** What has their names now; undefined if nothing does. */
export interface NamedContainers {
  node: ContainerJson | undefined
  controllers: ContainerJson | undefined
}

export function waysBack(history: RunState[]): WaysBack {
  const committed = history.filter(isCommittedRun)
  const newest = (of: (run: RunState) => OldContainer | null) => committed.flatMap((run) => of(run) ?? [])[0]
  return { node: newest(replacedBy) ?? null, controllers: newest(replacedControllers) ?? null }
}

/**
 * What no rollback and no upgrade needs any more, whether it still exists or not: as for the next commit, except that
 * the newest way back stays, because nothing replaces it.
 */
export function unreferenced(
  history: RunState[],
  bearers: NamedContainers,
  keep: { images: number; asked: string[] },
): Leftovers {
  const back = waysBack(history)
  const places = { node: placeOf(bearers.node), controllers: placeOf(bearers.controllers) }
  const kept = [back.node, back.controllers].flatMap((old) => old?.id ?? [])
  const { containers, images } = leftoversOf(history, keep.images, places, kept)
  const running = [bearers.node, bearers.controllers].flatMap((one) => one?.Config.Image ?? [])
  const used = [...running, ...keep.asked]
  return {
    containers,
    images: images.filter((image) => !used.includes(image)),
    files: [...obsoleteBackups(history), ...stagedFiles(history)],
  }
}

/** What is running stays, with its image. */
function placeOf(container: ContainerJson | undefined): InPlace {
  return {
    running: container ? { container } : null,
    image: container ? { ref: container.Config.Image } : null,
  }
}

/** Of plugins, all but the newest; of a CNI config or a manifest, all: the commit made them obsolete. */
function obsoleteBackups(history: RunState[]): string[] {
  const steps = history.filter(isCommittedRun).flatMap(({ plan }) => plan.steps)
  const plugins = steps.flatMap((step) => (step.kind === 'swap-binaries' ? [keptPaths(step.args)] : []))
  const configs = steps.flatMap((step) => (step.kind === 'write-cni-config' ? [step.args.wayBack] : []))
  const pods = steps.flatMap((step) => (step.kind === 'swap-static-pod' ? [step.args.manifest.wayBack] : []))
  return [...plugins.slice(1).flat(), ...configs, ...pods]
}

/** Fetched plugins that a later run passed over, because it installed others. */
function stagedFiles(history: RunState[]): string[] {
  const swapped = history.findIndex(
    (run) => isCommittedRun(run) && run.plan.steps.some(({ kind }) => kind === 'swap-binaries'),
  )
  if (swapped < 0) return []
  return history
    .slice(swapped + 1)
    .flatMap(({ plan }) => plan.steps)
    .flatMap((step) => {
      if (step.kind !== 'stage-binaries') return []
      const { run, binDir, binaries } = step.args
      // earlier agents created the flat ones
      const names = [stagingName(run), ...binaries.map(({ name }) => flatStagedName(run, name))]
      return names.map((name) => `${binDir}/${name}`)
    })
}
