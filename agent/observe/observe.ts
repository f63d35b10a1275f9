import { gracefulRestartSeconds } from '../core/bird-config.ts'
import type { ContainerJson } from '../core/docker-json.ts'
import { AgentError, type Problem } from '../core/errors.ts'
import { backendOf, envMap } from '../core/health.ts'
import type {
  Observed,
  ObservedCni,
  ObservedImage,
  ObservedNode,
  ObservedUnit,
  Owner,
  Wanted,
  WantedCni,
} from '../core/model.ts'
import { readUnit } from '../core/unit-image.ts'
import type { Bird } from '../ports/bird.ts'
import type { CniBinaries } from '../ports/cni-binaries.ts'
import type { CniConfigs } from '../ports/cni-config.ts'
import type { Docker } from '../ports/docker.ts'
import type { Kubelet } from '../ports/kubelet.ts'
import { findDaemons } from './bird.ts'
import { type KnownContent, observeCni } from './cni-binaries.ts'
import { observeCniConfig } from './cni-config.ts'
import { observeCompanions } from './companions.ts'
import { findUnit, type UnitPorts } from './unit.ts'

export interface ObservePorts extends UnitPorts {
  docker: Docker
  bird: Bird
  cni: CniBinaries
  configs: CniConfigs
  kubelet: Kubelet
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
  const problems: Problem[] = []
  // first and alone: where Docker cannot be reached, that is the reason to tell
  const engine = await engineOf(ports.docker)
  const [node, companions, image, cni, cniConfig] = await Promise.all([
    observeNode(wanted, ports, problems),
    observeCompanions(wanted, ports),
    wanted.node.image === null ? null : observeImage(wanted.node.image, ports.docker, signal),
    observeSource(wanted, ports, signal, known),
    wanted.cniConfig === null ? null : observeCniConfig(wanted.cniConfig, ports),
  ])
  return { engine, node, companions, image, cni, cniConfig, problems }
}

/** The host alone: nothing is asked for, and no registry is asked. */
export async function observeHost(wanted: Wanted, ports: ObservePorts): Promise<Observed> {
  const node = { ...wanted.node, image: null }
  const nothing = { ...wanted, node, cni: { ...wanted.cni, source: null }, cniConfig: null }
  return await observe(nothing, ports, new AbortController().signal, () => null)
}

async function engineOf(docker: Docker): Promise<Observed['engine']> {
  const { name, architecture, os } = await docker.info()
  return { name, architecture, os }
}

async function observeSource(
  { cni: wanted, cniConfig }: Wanted,
  { docker, cni }: ObservePorts,
  signal: AbortSignal,
  known: KnownContent,
): Promise<ObservedCni | null> {
  const { source } = wanted
  if (source === null || (wanted.onlyIfInstalled && !(await isAnyInstalled(wanted, cni)))) return null
  const image = source.kind === 'image' ? await observeImage(source.image, docker, signal) : null
  const optionalByMerge = cniConfig?.merge['nodename_file_optional'] === true
  return await observeCni({ wanted: { ...wanted, source }, image, known, optionalByMerge }, cni, signal)
}

async function isAnyInstalled({ binDir, binaries }: WantedCni, cni: CniBinaries): Promise<boolean> {
  return (await cni.installed(binDir, binaries)).some(({ sha256 }) => sha256 !== null)
}

/** Null where there is no such container. */
async function observeNode(
  wanted: Pick<Wanted, 'node' | 'birdSockets'>,
  ports: ObservePorts,
  problems: Problem[],
): Promise<ObservedNode | null> {
  const { docker, bird } = ports
  const container = await docker.inspectContainer(wanted.node.container)
  if (!container) return null
  const backend = backendOf(envMap(container.Config.Env))
  const running = container.State.Running
  const [image, unit, daemons, announcedMs] = await Promise.all([
    docker.inspectImage(container.Image),
    kubeletLabel(container) === undefined
      ? findUnit(container.Name.replace(/^\//, ''), wanted.node, ports)
      : null,
    backend === 'bird' && running ? findDaemons(wanted.birdSockets, container.Id, bird, problems) : [],
    backend === 'bird' && running ? announcedTime(container.Id, docker) : 0,
  ])
  return {
    container,
    image: image ?? null,
    owner: ownerOf(container, unit),
    unit,
    backend,
    daemons,
    announcedMs,
  }
}

/** The kubelet's own labels come first: what it keeps is no unit's. */
function kubeletLabel({ Config }: ContainerJson): string | undefined {
  return Object.keys(Config.Labels ?? {}).find((key) => key.startsWith('io.kubernetes.'))
}

function ownerOf(container: ContainerJson, unit: ObservedUnit | null): Owner {
  const label = kubeletLabel(container)
  if (label !== undefined) return { kind: 'kubelet', why: `it carries the label ${label}` }
  if (unit === null) return { kind: 'docker' }
  const name = container.Name.replace(/^\//, '')
  const { source } = unit
  const reading = readUnit(source, name)
  const file = reading.kind === 'runs' ? reading.run.places.at(-1)?.file : undefined
  const where = file === undefined ? '' : `, and ${file} names the image`
  return { kind: 'systemd', unit: source.name, why: `${source.name} runs docker for ${name}${where}` }
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
