import type { Problem } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import type { Gate, OldContainer, StepArgs, StepKind, SwappedBinary } from '../core/plan/plan.ts'
import type { WindowReport } from '../core/report/report.ts'
import type { Bird } from '../ports/bird.ts'
import type { Clock } from '../ports/clock.ts'
import type { CniBinaries } from '../ports/cni-binaries.ts'
import type { CniConfigs } from '../ports/cni-config.ts'
import type { Datastore } from '../ports/datastore.ts'
import type { DialGuard } from '../ports/dial-guard.ts'
import type { Docker } from '../ports/docker.ts'
import type { KernelRoutes } from '../ports/kernel-routes.ts'
import type { Kubelet } from '../ports/kubelet.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'
import type { FileAttributes, Manifests } from '../ports/manifests.ts'
import type { Probe } from '../ports/probe.ts'
import type { Systemd } from '../ports/systemd.ts'
import type { UnitFiles } from '../ports/unit-files.ts'

export interface Ports {
  docker: Docker
  bird: Bird
  probe: Probe
  datastore: Datastore
  routes: KernelRoutes
  dialGuard: DialGuard
  cni: CniBinaries
  configs: CniConfigs
  kubelet: Kubelet
  /** Null where no cluster is configured. */
  kubernetes: Kubernetes | null
  manifests: Manifests
  systemd: Systemd
  unitFiles: UnitFiles
  clock: Clock
}

export interface StepContext extends Ports {
  emit: (event: Parameters<Emit>[0]) => void
  /** The step's place in the plan, for its events. */
  index: number
  /** Monotonic ms at which this step's `do` made its first move, in this process or at the latest in the one that died. */
  since: number
  /** Aborted when somebody asks to stop. */
  signal: AbortSignal
  /** The old node as it is right before its KILL; a run that is resumed has none. */
  recheck?: Recheck | undefined
}

/** Looks at the old node again: the gate for its current state, and what the rules say about it. */
export type Recheck = (old: OldContainer, planned: Gate) => Promise<{ gate: Gate; problems: Problem[] }>

export interface StepResult {
  window?: WindowReport | null
  /** How long nothing did the work of the swapped component. */
  downMs?: number
  problems?: Problem[]
  /** The API server did not accept the uncordon, which is still pending. */
  uncordonPending?: true
}

/** By the look right before the KILL; the plan's own in a journal of an earlier version. */
interface GateBefore {
  gate?: Gate
}

/** The planned check, null if the old controllers fail it too; a journal of an earlier version has none. */
interface CheckBefore {
  check?: string[] | null
}

/** What the journal keeps of a step before its first move: JSON. */
export interface StepBefore {
  'pull-image': Record<string, never>
  'create-container': Record<string, never>
  /** `startedAt`: when the old one started, according to Docker; a journal of an earlier version has none. */
  'swap-container': { nextId: string; startedAt?: string } & GateBefore
  'stage-binaries': Record<string, never>
  /** `image`: the id of the image that the plugins come from. */
  'swap-binaries': { image: string | null; binaries: SwappedBinary[] }
  'write-cni-config': Record<string, never>
  /** When the kubelet that reads the old config started; null if it was not running. */
  'restart-kubelet': { startedAt: number | null }
  'swap-unit': GateBefore
  /** `known` are the kubelet's containers of that name before anything moved. */
  'swap-pod': { gate: Gate; known: string[] }
  'restore-strategy': Record<string, never>
  'edit-unit': Record<string, never>
  /** `startedAt`: when the old one started, according to Docker. */
  'swap-controllers': { nextId: string; startedAt: string } & CheckBefore
  'swap-controllers-unit': CheckBefore
  /** Containers of that name that ran, and all that were there; the file's attributes. */
  'swap-static-pod': { running: string[]; known: string[]; attributes: FileAttributes } & CheckBefore
  /** Whether it was available before: then it must be again on the way back. */
  'swap-deployment': { wasAvailable: boolean }
  /** Those that another host had applied by then, by their place. */
  'apply-objects': { applied: number[] }
  /** As the Node was, and who had cordoned it. */
  cordon: { cordoned: boolean; by: string | null }
  uncordon: Record<string, never>
  commit: { nextIds: string[] }
  'clean-up': Record<string, never>
}

/**
 * One kind of move. `do` may be run again after a crash; `undo` is safe when `do` never ran, ran half or ran twice.
 */
export interface Step<K extends StepKind> {
  /** Undone only if everything after it was: it marks the host as being worked on. */
  undoneLast?: true
  /** Changes what runs: from here on, a failure is a rollback, not a refusal. */
  moves: boolean
  describe(args: StepArgs[K]): string
  capture(args: StepArgs[K], context: StepContext): Promise<StepBefore[K]>
  do(args: StepArgs[K], before: StepBefore[K], context: StepContext): Promise<void>
  verify(args: StepArgs[K], before: StepBefore[K], context: StepContext): Promise<StepResult>
  /** Whether an interrupted run continues from here instead of going back. */
  goesOn(args: StepArgs[K], before: StepBefore[K], context: StepContext): Promise<boolean>
  /** For a commit that failed: whether part of it took effect. */
  tookHold?(args: StepArgs[K], before: StepBefore[K], context: StepContext): Promise<boolean>
  undo(args: StepArgs[K], before: StepBefore[K], context: StepContext): Promise<StepResult>
}
