import type { GatedDaemon } from '../bird/baseline.ts'
import type { ContainerSpec } from '../docker/container-spec.ts'
import type { HealthCheck } from '../docker/health.ts'
import type { RestartPolicy } from '../docker/json.ts'
import type { ConfigMapChange } from '../kubernetes/config-map.ts'
import type { MarkedTemplate } from '../kubernetes/deployment.ts'
import type { ObjectChange } from '../kubernetes/manifest.ts'
import type { Namespaced } from '../kubernetes/object.ts'
import type { PodTemplate } from '../kubernetes/pod.ts'
import type { TemplateEntry } from '../kubernetes/template.ts'
import type { Observed } from '../model.ts'
import type { PodContainer } from '../pod/static-pod.ts'
import type { UnitChange } from '../unit/change.ts'
import type { CniSource, Wanted } from '../wanted.ts'

export type Component = 'node' | 'cni' | 'cniConfig' | 'configMap' | 'manifest' | 'controllers'

/** The container that takes over: made by this run (found by its label), or one that an earlier run parked. */
export type NextContainer = { createdBy: string } | { parked: string }

/** What the new calico/node is compared with. */
export interface Gate {
  budgetMs: number
  reserveMs: number
  settleMs: number
  /** Empty if no BIRD runs: then only the container is checked. */
  daemons: GatedDaemon[]
  /** The checks that the old node passes as well. */
  health: HealthCheck[]
  /** The old node runs Felix: the new one's must not restart while it settles. Absent in a journal of an earlier version. */
  felix?: boolean
  /** Docker's own HEALTHCHECK says that the old node is healthy: then it must say so of the new one as well. */
  dockerHealth?: boolean
}

/** The container to replace, and everything that its way back needs. */
export interface OldContainer {
  id: string
  name: string
  policy: RestartPolicy
  wasRunning: boolean
  /** `--rm`: Docker removes it when it stops; then it is created again from `spec`. */
  autoRemove: boolean
  spec: ContainerSpec
  /** As the operator named it, and the id that it had: a tag may move. */
  image: string
  imageId: string
}

/** A container that stays: it gets the name and the policy of the one that it replaced. */
export interface ContainerCommit {
  old: OldContainer
  next: NextContainer
  parkName: string
}

/** An image of a DaemonSet's template, or the mark of the config in its annotations. */
export interface SwappedImage {
  list: TemplateEntry['list']
  name: string
  /** Of this host's pod, of the template when the plan was made, and of both as they shall be. */
  from: string
  was: string
  to: string
  /** What an admission webhook made of `from` in this host's pod; absent where it has `from`, and in a journal of before. */
  admitted?: string
}

/** One plugin before its swap; hashes in hex. */
export interface SwappedBinary {
  name: string
  sha256: string
  /** Of the replaced one; null if there was none. */
  previous: string | null
}

/** A manifest as it was and as it is to be; `wayBack` is the file as it was, until the commit. */
export interface ManifestChange {
  path: string
  before: string
  after: string
  wayBack: string
}

/** Where plugins are staged from; in a rollback, what an earlier run kept. */
export type StageSource = CniSource | { kind: 'kept'; binDir: string; run: string }

/** What the rules about versions checked before the pull, when the new image's labels were not known. */
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
    /** Hex if the content is known or pinned. */
    binaries: { name: string; sha256: string | null }[]
    /** Of the CNI config; each plugin must support it. */
    cniVersion: string | null
  }
  /** `image` is where they come from; null for another source. */
  'swap-binaries': { run: string; binDir: string; names: string[]; image: string | null }
  'write-cni-config': {
    path: string
    /** Its text when planned, and its new text. */
    before: string
    after: string
    /** The name of the old file until the commit. */
    wayBack: string
    /** The unit that reads the file only when it starts, and must be restarted. */
    reader: string | null
  }
  'restart-kubelet': { unit: string }
  'swap-unit': { change: UnitChange; old: OldContainer; gate: Gate }
  'swap-pod': {
    set: Namespaced
    run: string
    /** `revision` is the hash of its ControllerRevision; absent where there is none, and in a journal of before. */
    pod: { name: string; uid: string; node: string; revision?: string }
    container: string
    images: SwappedImage[]
    /** Absent where none is asked for, and in a journal of before. */
    configMap?: ConfigMapChange
    /** Of this host's pod, as it was when the plan was made, and as a manifest asks; absent where none does. */
    templates?: Record<'from' | 'was' | 'to', PodTemplate>
    from: string
    to: string
    /** What runs the pods, where that is not Docker; absent for Docker, and in a journal of before. */
    runtime?: string
    old: OldContainer
    gate: Gate
  }
  'restore-strategy': { set: Namespaced }
  'edit-unit': { change: UnitChange }
  /** `check` is run in the new container until it passes; null where its image has none. */
  'swap-controllers': { old: OldContainer; next: NextContainer; check: string[] | null; settleMs: number }
  /** The same, if a unit runs them. */
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
    /** The mark of the config in its template; absent where none is asked for, and in a journal of before. */
    config?: { from: string | null; to: string | null }
    /** The whole template, where a manifest asks for it. */
    manifest?: Record<'from' | 'to', MarkedTemplate>
    settleMs: number
  }
  /** Of a manifest, in their order; the templates of Calico's pods are of other steps. */
  'apply-objects': { path: string; objects: ObjectChange[] }
  /** `optional`: the operator allowed the run to continue without it. */
  cordon: { node: string; run: string; optional: boolean }
  uncordon: { node: string; run: string }
  /** `parts`: those that it settles; the whole plan if it is the only commit. */
  commit: { containers: ContainerCommit[]; parts?: Component[] }
  /** `files`: ways back that the commit made obsolete; a journal of an earlier version has none. */
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

/** What the plan's steps change; what is already in place does not count. */
export function changesOf({ components, steps }: Plan): Plan['components'] {
  const moving = Object.entries(components).filter(([one]) =>
    steps.some(({ component }) => component === one),
  )
  return Object.fromEntries(moving)
}

export interface Change {
  from: string
  to: string
  /** Both have the same name, which now points to another image than the running one. */
  tagMoved?: true
}
