import { gracefulRestartSeconds } from '../core/bird-config.ts'
import type { ContainerJson } from '../core/docker-json.ts'
import { AgentError, type Problem } from '../core/errors.ts'
import { backendOf, envMap } from '../core/health.ts'
import type { Observed, ObservedCni, ObservedImage, ObservedNode, Owner, Wanted } from '../core/model.ts'
import type { Bird } from '../ports/bird.ts'
import type { CniBinaries } from '../ports/cni-binaries.ts'
import type { Docker } from '../ports/docker.ts'
import type { Host } from '../ports/host.ts'
import { findDaemons } from './bird.ts'
import { type KnownContent, observeCni } from './cni-binaries.ts'

export interface ObservePorts {
  docker: Docker
  bird: Bird
  host: Host
  cni: CniBinaries
}

/** Where calico/node keeps the config that confd renders for BIRD. */
const BIRD_CFG = '/etc/calico/confd/config/bird.cfg'

/** Everything that a plan is made from; changes nothing. */
export async function observe(
  wanted: Wanted,
  ports: ObservePorts,
  signal: AbortSignal,
  known: KnownContent,
): Promise<Observed> {
  const engine = await ports.docker.info()
  const problems: Problem[] = []
  const [node, image, cni] = await Promise.all([
    observeNode(wanted, ports, problems),
    wanted.node.image === null ? null : observeImage(wanted.node.image, ports.docker, signal),
    observeSource(wanted, ports, signal, known),
  ])
  const { name, architecture, os } = engine
  return { engine: { name, architecture, os }, node, image, cni, problems }
}

async function observeSource(
  { cni: { source, ...places }, cniConfig }: Wanted,
  { docker, cni }: ObservePorts,
  signal: AbortSignal,
  known: KnownContent,
): Promise<ObservedCni | null> {
  if (source === null) return null
  const image = source.kind === 'image' ? await observeImage(source.image, docker, signal) : null
  const optionalByMerge = cniConfig?.merge['nodename_file_optional'] === true
  return await observeCni({ wanted: { ...places, source }, image, known, optionalByMerge }, cni, signal)
}

/** Null where there is no such container. */
export async function observeNode(
  wanted: Pick<Wanted, 'node' | 'birdSockets'>,
  { docker, bird, host }: ObservePorts,
  problems: Problem[],
): Promise<ObservedNode | null> {
  const container = await docker.inspectContainer(wanted.node.container)
  if (!container) return null
  const backend = backendOf(envMap(container.Config.Env))
  const running = container.State.Running
  const [image, owner, daemons, announcedMs] = await Promise.all([
    docker.inspectImage(container.Image),
    ownerOf(container, wanted.node.manager, host),
    backend === 'bird' && running ? findDaemons(wanted.birdSockets, container.Id, bird, problems) : [],
    backend === 'bird' && running ? announcedTime(container.Id, docker) : 0,
  ])
  return { container, image: image ?? null, owner, backend, daemons, announcedMs }
}

async function ownerOf(
  container: ContainerJson,
  manager: Wanted['node']['manager'],
  host: Host,
): Promise<Owner> {
  const label = Object.keys(container.Config.Labels ?? {}).find((key) => key.startsWith('io.kubernetes.'))
  if (label !== undefined) return { kind: 'kubelet', why: `it carries the label ${label}` }
  if (manager === 'docker') return { kind: 'docker' }
  const name = container.Name.replace(/^\//, '')
  const unit = await host.unitRunning(name)
  return unit === null
    ? { kind: 'docker' }
    : { kind: 'systemd', unit, why: `${unit} runs docker for ${name}` }
}

async function announcedTime(container: string, docker: Docker): Promise<number> {
  return gracefulRestartSeconds((await docker.readContainerFile(container, BIRD_CFG)) ?? '') * 1000
}

/** The image as this host has it, and as its registry has it now: a tag may have moved. */
async function observeImage(ref: string, docker: Docker, signal: AbortSignal): Promise<ObservedImage> {
  const [local, remote] = await Promise.all([docker.inspectImage(ref), askRegistry(ref, docker, signal)])
  return { ref, local: local ?? null, remote }
}

async function askRegistry(
  ref: string,
  docker: Docker,
  signal: AbortSignal,
): Promise<ObservedImage['remote']> {
  try {
    return await docker.inspectRemoteImage(ref, signal)
  } catch (error) {
    if (error instanceof AgentError && !error.code.startsWith('docker-')) return { error: error.asProblem() }
    throw error
  }
}
