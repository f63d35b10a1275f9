import type { GatedDaemon } from '../bird/baseline.ts'
import type { ContainerSpec } from '../docker/container-spec.ts'
import type { HealthCheck } from '../docker/health.ts'
import type { RestartPolicy } from '../docker/json.ts'
import type { Namespaced, TemplateImage } from '../kubernetes/daemon-set.ts'
import type { CniSource, Observed, Wanted } from '../model.ts'
import type { PodContainer } from '../pod/static-pod.ts'
import type { UnitChange } from '../unit/change.ts'

export type Component = 'node' | 'cni' | 'cniConfig' | 'controllers'

/** The container that takes over: made by this run (found by its label), or one that an earlier run parked. */
export type NextContainer = { createdBy: string } | { parked: string }

/** What the new calico/node is held against. */
export interface Gate {
  budgetMs: number
  reserveMs: number
  settleMs: number
  /** Empty where no BIRD runs: then the container alone is gated. */
  daemons: GatedDaemon[]
  /** What the old node passes as well. */
  health: HealthCheck[]
  /** The old node runs Felix: the new one's must not restart while it settles. Absent in a journal of before. */
  felix?: boolean
  /** Docker's own HEALTHCHECK says that the old node is healthy: then it must say so of the new one as well. */
  dockerHealth?: boolean
}

/** The container that is replaced, and all that its way back needs. */
export interface OldContainer {
  id: string
  name: string
  policy: RestartPolicy
  wasRunning: boolean
  /** `--rm`: Docker removes it when it stops; then it is created again from `spec`. */
  autoRemove: boolean
  spec: ContainerSpec
  /** As the operator named it, and the id that it had: a tag may move meanwhile. */
  image: string
  imageId: string
}

/** A container that keeps its place for good: it gets the name and the policy of the one that it replaced. */
export interface ContainerCommit {
  old: OldContainer
  next: NextContainer
  parkName: string
}

/** One plugin before its swap; hashes in hex. */
export interface SwappedBinary {
  name: string
  sha256: string
  /** Of the one that is replaced; null where there was none. */
  previous: string | null
}

/** A manifest as it was and as it is to be; `wayBack` is the file as it was, until the commit. */
export interface ManifestChange {
  path: string
  before: string
  after: string
  wayBack: string
}

/** Where plugins are staged from: for a rollback from what an earlier run kept. */
export type StageSource = CniSource | { kind: 'kept'; binDir: string; run: string }

/** What the rules about versions looked at before the pull: the labels of what comes were not known then. */
export interface Judged {
  observed: Observed
  wanted: Wanted
}

/** Arguments of every step kind: the union and the registry of executors derive from this map. */
export interface StepArgs {
  /**
   * `digest` is what the registry had under the name when it was asked, `id` what a run before had under it; a journal of
   * an earlier version has none of them.
   */
  'pull-image': { image: string; digest?: string; id?: string; judged?: Judged }
  'create-container': { name: string; run: string; spec: ContainerSpec }
  'swap-container': { old: OldContainer; next: NextContainer; gate: Gate }
  'stage-binaries': {
    run: string
    source: StageSource
    binDir: string
    /** Hex where the content is known or pinned. */
    binaries: { name: string; sha256: string | null }[]
    /** The CNI config's, which each plugin must know. */
    cniVersion: string | null
  }
  /** `image` is where they come from; null for another source. */
  'swap-binaries': { run: string; binDir: string; names: string[]; image: string | null }
  'write-cni-config': {
    path: string
    /** Its text as planned from, and as it shall be. */
    before: string
    after: string
    /** What the file as it was is called until the commit. */
    wayBack: string
    /** The unit that reads the file at its start only, and must be restarted. */
    reader: string | null
  }
  'restart-kubelet': { unit: string }
  'swap-unit': { change: UnitChange; old: OldContainer; gate: Gate }
  /** `images` of the template: as this host's pod has them, and as they shall be. */
  'swap-pod': {
    set: Namespaced
    run: string
    pod: { name: string; uid: string }
    container: string
    images: { list: TemplateImage['list']; name: string; from: string; to: string }[]
    from: string
    to: string
    old: OldContainer
    gate: Gate
  }
  'restore-strategy': { set: Namespaced }
  'edit-unit': { change: UnitChange }
  /** `check` is run in the new container until it passes; null where its image has none. */
  'swap-controllers': { old: OldContainer; next: NextContainer; check: string[] | null; settleMs: number }
  /** The same where a unit runs them. */
  'swap-controllers-unit': {
    change: UnitChange
    old: OldContainer
    check: string[] | null
    settleMs: number
  }
  /** `kubelet` is its unit, null where none is known; `stopMs` is what the old ones may take to stop. */
  'swap-static-pod': {
    manifest: ManifestChange
    pod: PodContainer
    from: string
    to: string
    kubelet: string | null
    check: string[] | null
    settleMs: number
    stopMs: number
  }
  /** The same where a Deployment keeps them, on any host; `strategy` is the type that it had. */
  'swap-deployment': {
    deployment: Namespaced
    run: string
    container: string
    from: string
    to: string
    strategy: string
    settleMs: number
  }
  /** `optional`: the operator allowed to go on without it. */
  cordon: { node: string; run: string; optional: boolean }
  uncordon: { node: string; run: string }
  /** `parts`: those that it settles; all of the plan where it is the only one. */
  commit: { containers: ContainerCommit[]; parts?: Component[] }
  /** `files`: ways back that the commit has made void; a journal of before they were kept has none. */
  'clean-up': { containers: string[]; images: string[]; files?: string[] }
}

export type StepKind = keyof StepArgs

export type PlannedStep = { [K in StepKind]: { kind: K; component: Component; args: StepArgs[K] } }[StepKind]

/** Pure data, journaled whole before the first step. */
export interface Plan {
  run: string
  command: 'upgrade' | 'rollback' | 'prefetch'
  components: Partial<Record<Component, Change>>
  steps: PlannedStep[]
}

/** What the plan's steps change; what is in place already is none of it. */
export function changesOf({ components, steps }: Plan): Plan['components'] {
  const moving = Object.entries(components).filter(([one]) =>
    steps.some(({ component }) => component === one),
  )
  return Object.fromEntries(moving)
}

export interface Change {
  from: string
  to: string
  /** Both have one name, and it means another image now than the one that runs. */
  tagMoved?: true
}
