import { imageVersion } from '../core/docker/health.ts'
import { tagOf } from '../core/docker/image-ref.ts'
import { upMs } from '../core/docker/up-time.ts'
import { AgentError, type Problem } from '../core/errors.ts'
import type { ObservedDeployment } from '../core/kubernetes/deployment.ts'
import type { ClusterNode } from '../core/kubernetes/node.ts'
import { type Observed, type ObservedControllers, type ObservedNode } from '../core/model.ts'
import { changesOf } from '../core/plan/plan.ts'
import type { DeploymentStatus, NodeStatus, RunStatus, StatusReport } from '../core/report/status.ts'
import { hasTarget, type Wanted } from '../core/wanted.ts'
import type { RunState } from '../journal/run-state.ts'
import { installedPlugins } from '../observe/cni-binaries.ts'
import { observeLiveConfig } from '../observe/cni-config.ts'
import { observeHost } from '../observe/observe.ts'
import { type App, isUnfinished } from './app.ts'
import { copiedProblem } from './copied-journal.ts'
import { isUncordonPending } from './pending-uncordon.ts'
import { planUpgrade } from './upgrade.ts'

/** The report of a host that cannot be observed; its problems say why. */
export const emptyStatusReport: StatusReport = {
  schema: 1,
  node: null,
  bird: null,
  announcedMs: null,
  controllers: null,
  deployment: null,
  cni: null,
  cniConfig: null,
  kubelet: [],
  kubernetes: null,
  lastRun: null,
  unfinishedRun: null,
  upgrade: null,
  problems: [],
}

/** What runs now and, with a target, what an upgrade would change. Needs no lock and changes nothing. */
export async function status(app: App, wanted: Wanted): Promise<StatusReport> {
  const { kubelet, configs, cni } = app.ports
  const [seen, runs, plugins, directories] = await Promise.all([
    look(app, wanted),
    lookAtRuns(app),
    installedPlugins(wanted.cni, cni),
    kubelet.cniDirectories(wanted.kubelet.unit, wanted.places),
  ])
  const { node, controllers, deployment, cluster, upgrade } = seen
  const problems = [...seen.problems, ...runs.problems]
  const now = app.ports.clock.date()
  const cniConfig = await observeLiveConfig(wanted.places, configs, problems)
  return {
    schema: 1,
    node: node && nodeStatus(node, now),
    bird:
      node?.backend === 'bird'
        ? node.daemons.map(({ endpoint, announcedMs, view }) => {
            const { lastReboot, recovering, waitTimer, sessions } = view
            return { ...endpoint, lastReboot, recovering, waitTimer, announcedMs, sessions }
          })
        : null,
    announcedMs: node?.daemons.length ? node.announcedMs : null,
    controllers: controllers && nodeStatus(controllers, now),
    deployment: deployment && deploymentStatus(deployment),
    cni: plugins.some(({ sha256 }) => sha256 !== null) ? { binDir: wanted.cni.binDir, plugins } : null,
    cniConfig,
    kubelet: directories,
    kubernetes: wanted.kubernetes && { node: cluster, uncordonPending: runs.uncordonPending },
    lastRun: runs.lastRun,
    unfinishedRun: runs.unfinishedRun,
    upgrade,
    problems,
  }
}

interface Seen {
  node: ObservedNode | null
  controllers: ObservedControllers | null
  deployment: ObservedDeployment | null
  cluster: ClusterNode | null
  upgrade: StatusReport['upgrade']
  problems: Problem[]
}

/** Without a target the registry is not asked. */
async function look(app: App, wanted: Wanted): Promise<Seen> {
  if (hasTarget(wanted)) {
    const { observed, change, problems } = await planUpgrade(app, wanted)
    const { steps, components } = change?.plan ?? { steps: [], components: {} }
    const moves = [...new Set(steps.map(({ component }) => component))]
    const upgrade = { refused: change === null, changed: steps.length > 0, components, moves, problems }
    const { node, controllers } = observed
    return { node, controllers, ...clusterSeen(observed, problems), upgrade }
  }
  const ports = { ...app.ports, datastore: null }
  const observed = await observeHost(wanted, ports, app.signal)
  const { node, controllers } = observed
  return { node, controllers, ...clusterSeen(observed, []), upgrade: null }
}

/** What the API server does not tell is a warning, unless it stands against the upgrade. */
function clusterSeen(
  { cluster, deployment, problems }: Observed,
  told: Problem[],
): Pick<Seen, 'cluster' | 'deployment' | 'problems'> {
  const untellable = deployment && 'problem' in deployment ? deployment.problem : null
  const found = [cluster?.problem ?? null, untellable].filter((one) => one !== null)
  const messages = [...problems, ...told].map(({ message }) => message)
  const untold = found.filter(
    ({ message }, i) =>
      !messages.some((one) => one.endsWith(message)) &&
      found.findIndex((one) => one.message === message) === i,
  )
  return {
    cluster: cluster?.node ?? null,
    deployment: deployment && 'image' in deployment ? deployment : null,
    problems: [...problems, ...untold.map((problem): Problem => ({ ...problem, severity: 'warning' }))],
  }
}

function deploymentStatus(deployment: ObservedDeployment): DeploymentStatus {
  const { namespace, name, strategy, replicas, image, isAvailable, trouble, pods } = deployment
  return {
    ...{ namespace, name, image, strategy, replicas, trouble },
    version: image === null ? null : imageVersion(tagOf(image), null),
    available: isAvailable,
    pods: pods.map((pod) => ({ name: pod.name, node: pod.node })),
  }
}

function nodeStatus({ container, image, owner }: ObservedControllers, now: Date): NodeStatus {
  return {
    container: container.Name.replace(/^\//, ''),
    id: container.Id,
    image: container.Config.Image,
    imageId: container.Image,
    digest: image?.RepoDigests?.[0]?.split('@')[1] ?? null,
    version: imageVersion(tagOf(container.Config.Image), image?.Config?.Labels),
    state: container.State.Status,
    startedAt: container.State.StartedAt,
    upMs: upMs(container, now),
    restartPolicy: container.HostConfig.RestartPolicy.Name,
    owner,
  }
}

type SeenRuns = Pick<StatusReport, 'lastRun' | 'unfinishedRun' | 'problems'> & {
  uncordonPending: string | null
}

/** The lock is checked right after the journals: a run that ends in between must not look like an interrupted one. */
async function lookAtRuns({ runs, lockHolder, ports }: App): Promise<SeenRuns> {
  const history = await runs.history()
  const problems: Problem[] = []
  const last = history.find((run) => !isUnfinished(run))
  const unfinished = history.find(isUnfinished)
  const lastRun = last ? runStatus(last) : null
  const uncordonPending = history.find(isUncordonPending)?.plan.run ?? null
  if (!unfinished) return { lastRun, unfinishedRun: null, uncordonPending, problems }
  const copied = await copiedProblem(unfinished, { runs, ports }).catch(() => null)
  if (copied) problems.push(copied.asProblem())
  const atWork = await lockHolder().catch((error: unknown) => {
    if (!(error instanceof AgentError)) throw error
    problems.push(error.asProblem())
    return null
  })
  const { plan, startedAt } = unfinished
  const unfinishedRun = { run: plan.run, startedAt, command: plan.command, atWork }
  return { lastRun, unfinishedRun, uncordonPending, problems }
}

function runStatus({ plan, outcome, startedAt, window }: RunState): RunStatus {
  return { run: plan.run, outcome: outcome ?? 'stuck', components: changesOf(plan), startedAt, window }
}
