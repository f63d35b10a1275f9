import type { BirdEndpoint, Session } from '../bird/view.ts'
import type { KubeletDirectory } from '../cni/kubelet-directories.ts'
import type { Problem } from '../errors.ts'
import type { ObservedDeployment } from '../kubernetes/deployment.ts'
import type { ClusterNode } from '../kubernetes/node.ts'
import type { InstalledPlugin, Owner } from '../model.ts'
import type { Component, Plan } from '../plan/plan.ts'
import type { Outcome, WindowReport } from './report.ts'

/** The container that runs calico/node, or the controllers, now. */
export interface NodeStatus {
  container: string
  id: string
  /** As the operator named it, and what it was resolved to. */
  image: string
  imageId: string
  digest: string | null
  version: string | null
  /** Docker's own word: running, exited, ... */
  state: string
  startedAt: string
  /** Ms since then; null where it does not run. */
  upMs: number | null
  /** Docker's name of it: always, no, ... */
  restartPolicy: string
  owner: Owner
}

/** The Deployment of the controllers, as the cluster has it. */
export interface DeploymentStatus
  extends Pick<ObservedDeployment, 'namespace' | 'name' | 'strategy' | 'replicas'> {
  /** Of its template; null where it has no container of the controllers. */
  image: string | null
  version: string | null
  /** It is rolled out, and its pod is available. */
  available: boolean
  /** Why not, in the words of the scheduler or the kubelet; null where they say nothing. */
  trouble: string | null
  /** Its pods, and the Node of each; null where it has none yet. */
  pods: { name: string; node: string | null }[]
}

/** One BIRD daemon that answers. */
export interface BirdStatus extends BirdEndpoint {
  /** When BIRD started, as it prints it. */
  lastReboot: string
  recovering: boolean
  waitTimer: string | null
  /** Graceful-restart time that it announces to its peers. */
  announcedMs: number
  sessions: Pick<Session, 'name' | 'neighbor' | 'established' | 'info' | 'imported' | 'restarting'>[]
}

/** The CNI config that the kubelet takes. */
export interface CniConfigStatus {
  path: string
  /** Types of its plugins, in their order. */
  plugins: string[]
  /** Version of the CNI specification that it asks them for. */
  cniVersion: string
  isCalico: boolean
}

/** The cluster that this host belongs to. */
interface ClusterStatus {
  /** The Node of this host; null where the API server does not tell. */
  node: ClusterNode | null
  /** The run that could not uncordon it yet; null where there is none. */
  uncordonPending: string | null
}

export interface RunStatus {
  run: string
  outcome: Outcome
  components: Plan['components']
  startedAt: string
  window: WindowReport | null
}

/** The agent that has the host's lock. */
export interface LockHolder {
  pid: number
  command: string
}

interface UnfinishedRun {
  run: string
  startedAt: string
  command: string
  /** Null where the run was interrupted. */
  atWork: LockHolder | null
}

/** The JSON of `status`. */
export interface StatusReport {
  schema: 1
  node: NodeStatus | null
  /** Null where no BIRD is expected. */
  bird: BirdStatus[] | null
  /** The shortest of the daemons that have sessions. */
  announcedMs: number | null
  /** Null where this host has no container of the controllers. */
  controllers: NodeStatus | null
  /** Null where none keeps them, or the API server does not tell. */
  deployment: DeploymentStatus | null
  /** The configured plugins; null where none of them is there. */
  cni: { binDir: string; plugins: InstalledPlugin[] } | null
  /** Null where the kubelet finds none that it takes. */
  cniConfig: CniConfigStatus | null
  /** The directories of CNI that the kubelet was told of by its flags. */
  kubelet: KubeletDirectory[]
  /** Null where no cluster is configured. */
  kubernetes: ClusterStatus | null
  lastRun: RunStatus | null
  unfinishedRun: UnfinishedRun | null
  /** What an upgrade would do; null where nothing is asked for. */
  upgrade: {
    refused: boolean
    changed: boolean
    components: Plan['components']
    /** Those of the components that are not in place already. */
    moves: Component[]
    problems: Problem[]
  } | null
  problems: Problem[]
}
