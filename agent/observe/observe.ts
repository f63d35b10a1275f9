import { gracefulRestartSeconds } from '../core/bird-config.ts'
import type { ContainerJson } from '../core/docker-json.ts'
import { AgentError, type Problem } from '../core/errors.ts'
import { backendOf, envMap } from '../core/health.ts'
import type { Observed, ObservedImage, ObservedNode, Owner, Wanted } from '../core/model.ts'
import type { Seen } from '../core/rules/rule.ts'
import type { Bird } from '../ports/bird.ts'
import type { Docker } from '../ports/docker.ts'
import type { Host } from '../ports/host.ts'
import { findDaemons } from './bird.ts'
import { observeCompanions } from './companions.ts'

export interface ObservePorts {
  docker: Docker
  bird: Bird
  host: Host
}

/** Where calico/node keeps the config that confd renders for BIRD. */
const BIRD_CFG = '/etc/calico/confd/config/bird.cfg'

/** Everything that a plan is made from; changes nothing. */
export async function observe(wanted: Wanted, ports: ObservePorts, signal: AbortSignal): Promise<Observed> {
  const engine = await engineOf(ports.docker)
  const [host, image] = await Promise.all([
    hostOf(wanted, ports),
    observeImage(wanted.node.image, ports.docker, signal),
  ])
  return { engine, ...host, image }
}

/** The same without an image: the host alone, and no registry is asked. */
export async function observeHost(wanted: Wanted, ports: ObservePorts): Promise<Seen> {
  const engine = await engineOf(ports.docker)
  return { engine, ...(await hostOf(wanted, ports)), image: null }
}

async function engineOf(docker: Docker): Promise<Observed['engine']> {
  const { name, architecture, os } = await docker.info()
  return { name, architecture, os }
}

async function hostOf(
  wanted: Wanted,
  ports: ObservePorts,
): Promise<Pick<Observed, 'node' | 'companions' | 'problems'>> {
  const problems: Problem[] = []
  const [node, companions] = await Promise.all([
    observeNode(wanted, ports, problems),
    observeCompanions(ports.docker, ports.host),
  ])
  return { node, companions, problems }
}

/** Null where there is no such container. */
async function observeNode(
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
