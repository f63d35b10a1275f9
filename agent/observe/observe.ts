import { abortable } from '../core/abortable.ts'
import { backendOf, envMap } from '../core/docker/health.ts'
import type { ContainerJson } from '../core/docker/json.ts'
import { otherNodes } from '../core/docker/second-node.ts'
import { upMs } from '../core/docker/up-time.ts'
import type { Problem } from '../core/errors.ts'
import {
  type Observed,
  type ObservedCni,
  type ObservedDaemon,
  type ObservedImage,
  type ObservedNode,
} from '../core/model.ts'
import { askingNothing, hasTarget, type Wanted, type WantedCni } from '../core/wanted.ts'
import type { Bird } from '../ports/bird.ts'
import type { Clock } from '../ports/clock.ts'
import type { CniBinaries } from '../ports/cni-binaries.ts'
import type { CniConfigs } from '../ports/cni-config.ts'
import type { Datastore } from '../ports/datastore.ts'
import type { Docker } from '../ports/docker.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'
import { withAlong } from './along.ts'
import { findDaemons } from './bird.ts'
import { withConfig } from './bird-config.ts'
import { type KnownContent, observeCni } from './cni-binaries.ts'
import { observeCniConfig } from './cni-config.ts'
import { observeComingPod } from './coming-pod.ts'
import { companionsOf } from './companions.ts'
import { observeConfigMap } from './config-map.ts'
import { observeControllers } from './controllers.ts'
import { findDaemonSet, namedByPod, observeFlexvol } from './daemon-set.ts'
import { observeDatastore } from './datastore.ts'
import { type Looking, observeImage } from './image.ts'
import { observeCluster } from './kubernetes.ts'
import { observeManifest } from './manifest.ts'
import { findOwner, type OwnerPorts } from './owner.ts'
import { findContainer, namedByManifest } from './static-pod.ts'

export interface ObservePorts extends OwnerPorts {
  bird: Bird
  cni: CniBinaries
  configs: CniConfigs
  clock: Pick<Clock, 'date'>
  /** Null if no rule needs it, as in a status: do not dial the datastore for each scrape. */
  datastore: Datastore | null
  /** Null where no cluster is configured. */
  kubernetes: Kubernetes | null
}

/** Everything that a plan is made from; changes nothing. Throws the signal's reason as soon as it is aborted. */
export async function observe(
  wanted: Wanted,
  ports: ObservePorts,
  looking: Looking,
  known: KnownContent,
): Promise<Observed> {
  const { signal } = looking
  const problems: Problem[] = []
  // first and alone: if Docker cannot be reached, that is the reason to report
  const engine = await abortable(engineOf(ports.docker), signal)
  const source = observeSource(wanted, ports, looking, known)
  const lookAtNode = observeNode(wanted, ports, problems, hasTarget(wanted))
  const lookAtControllers = observeControllers(wanted, ports, looking, {
    ...{ node: lookAtNode, runtime: engine.runtime },
  })
  const lookAtCluster = observeCluster(wanted, ports.kubernetes, engine.name)
  const lookAtConfigMap = observeConfigMap(wanted, ports.kubernetes, lookAtNode)
  const looks = Promise.all([
    lookAtNode,
    ports.docker.runningContainers(),
    ports.cni.calicoVersion(`${wanted.places.binDir}/calico`),
    lookAtControllers,
    wanted.node.image === null ? null : observeImage(wanted.node.image, ports.docker, looking),
    source,
    wanted.cniConfig === null ? null : observeCniConfig(wanted.cniConfig, ports),
    wanted.cniConfig === null && wanted.cni.source === null
      ? []
      : ports.kubelet.cniDirectories(wanted.kubelet.unit, wanted.places),
    observeComingPod(wanted, ports.kubernetes, { node: lookAtNode, cluster: lookAtCluster }),
    lookAtCluster,
    observeFlexvol(wanted, lookAtNode, ports.docker, looking),
    lookAtConfigMap,
    observeManifest(wanted, ports.kubernetes, {
      ...{ node: lookAtNode, controllers: lookAtControllers, configMap: lookAtConfigMap },
    }),
  ])
  const found = await abortable(looks, signal).catch(async (error: unknown) => {
    // it removes the container that it reads an image from
    if (signal.aborted) await source.catch(() => undefined)
    throw error
  })
  const [node, running, plugin, controllers, image, cni, cniConfig, kubeletDirectories, coming, ...cluster] =
    found
  const others = otherNodes(running, node ? [node.container.Id] : [])
  const companions = companionsOf(plugin, controllers)
  const seen = { engine, node, otherNodes: others, companions, ...controllers, image, cni, cniConfig }
  return {
    ...{ ...seen, kubeletDirectories, ...ofCluster(...cluster) },
    problems: coming ? [...problems, coming] : problems,
  }
}

/** What is absent where no cluster is configured, or nothing is asked of it. */
function ofCluster(
  cluster: Observed['cluster'],
  flexvol: ObservedImage | null,
  configMap: Observed['configMap'],
  manifest: Observed['manifest'],
): Pick<Observed, 'cluster' | 'flexvol' | 'configMap' | 'manifest'> {
  return {
    ...(cluster && { cluster }),
    ...(flexvol && { flexvol }),
    ...(configMap && { configMap }),
    ...(manifest && { manifest }),
  }
}

/** Only the host: nothing is requested, and no registry is queried. */
export async function observeHost(
  wanted: Wanted,
  ports: ObservePorts,
  signal: AbortSignal,
): Promise<Observed> {
  return await observe(askingNothing(wanted), ports, { emit: () => undefined, signal }, () => null)
}

async function engineOf(docker: Docker): Promise<Observed['engine']> {
  const { name, architecture, os, runtime } = await docker.info()
  return { name, architecture, os, ...(runtime !== null && { runtime }) }
}

async function observeSource(
  { cni: wanted, cniConfig }: Wanted,
  { docker, cni }: ObservePorts,
  looking: Looking,
  known: KnownContent,
): Promise<ObservedCni | null> {
  const { source } = wanted
  if (source === null || (wanted.onlyIfInstalled && !(await isAnyInstalled(wanted, cni)))) return null
  const image = source.kind === 'image' ? await observeImage(source.image, docker, looking) : null
  const optionalByMerge = cniConfig?.merge['nodename_file_optional'] === true
  return await observeCni(
    { wanted: { ...wanted, source }, image, known, optionalByMerge },
    cni,
    looking.signal,
  )
}

async function isAnyInstalled({ binDir, binaries }: WantedCni, cni: CniBinaries): Promise<boolean> {
  return (await cni.installed(binDir, binaries)).some(({ sha256 }) => sha256 !== null)
}

/** Null where there is no such container. */
async function observeNode(
  wanted: Pick<Wanted, 'node' | 'birdSockets' | 'kubelet' | 'places'>,
  ports: ObservePorts,
  problems: Problem[],
  forUpgrade: boolean,
): Promise<ObservedNode | null> {
  const { docker, clock, datastore: store } = ports
  const container = await findContainer(wanted.node.container, docker)
  if (!container) return null
  const backend = backendOf(envMap(container.Config.Env))
  const running = container.State.Running
  const look = async () => {
    const image = (await docker.inspectImage(container.Image)) ?? null
    const datastore = store && (await observeDatastore({ container, image }, { docker, datastore: store }))
    return { image, datastore }
  }
  const [{ image, datastore }, { owner: keeper, unit, pod, claims }, daemons] = await Promise.all([
    look(),
    findOwner(container, { section: 'node', ...wanted.node }, wanted.kubelet, ports),
    backend === 'bird' && running ? observeDaemons(wanted.birdSockets, container, ports, problems) : [],
  ])
  const hosted = ports.kubernetes && (await findDaemonSet(container, keeper, ports.kubernetes, forUpgrade))
  return {
    container: hosted ? namedByPod(container, hosted) : namedByManifest(container, pod),
    image,
    ...(hosted ?? { owner: keeper }),
    unit: await withAlong(unit, wanted.places.binDir, ports),
    claims,
    backend,
    upMs: upMs(container, clock.date()),
    daemons,
    announcedMs: shortestTime(daemons),
    datastore,
  }
}

async function observeDaemons(
  sockets: string[],
  container: ContainerJson,
  { bird, docker }: ObservePorts,
  problems: Problem[],
): Promise<ObservedDaemon[]> {
  const found = await findDaemons(sockets, container, bird, problems)
  return await withConfig(found, container.Id, docker)
}

/** bird6 runs in every node: without sessions nobody waits for it. */
function shortestTime(daemons: ObservedDaemon[]): number {
  const busy = daemons.filter(({ view }) => view.sessions.some(({ established }) => established))
  const times = (busy.length > 0 ? busy : daemons).map(({ announcedMs }) => announcedMs)
  return times.length > 0 ? Math.min(...times) : 0
}
