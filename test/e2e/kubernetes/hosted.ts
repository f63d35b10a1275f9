import { afterAll } from 'vitest'
import type { DaemonSetObject } from '../../../agent/core/kubernetes/daemon-set.ts'
import type { NodeObject } from '../../../agent/core/kubernetes/node.ts'
import type { PodObject } from '../../../agent/core/kubernetes/pod.ts'
import { AGENT_KUBECONFIG, admitAgents, type Host, type Kubernetes } from '../../lab/index.ts'
import { agent, configure, costOf, expectNoCost, expectOutcome, lab, type World } from '../support.ts'

// a control plane is at work even where nobody asks it
afterAll(() => lab.kubernetes().kill())

const SYSTEM = ['-n', 'kube-system']

export interface HostedWorld extends World {
  kubernetes: Kubernetes
}

const QUICK = { window: 90, settle: 2, kubernetes: { kubeconfig: AGENT_KUBECONFIG } }

/** This worker's two hosts as Nodes of a cluster whose DaemonSet keeps calico-node, and an agent with a credential. */
export async function hostedWorld(
  hosted: Parameters<Kubernetes['resetHosted']>[1] = {},
): Promise<HostedWorld> {
  const mesh = lab.workerMesh()
  const kubernetes = lab.kubernetes()
  await kubernetes.start()
  await kubernetes.resetHosted(mesh, hosted)
  await admitAgents(kubernetes, mesh.hosts)
  const [host, peer] = mesh.hosts as [Host, Host]
  for (const each of [host, peer]) await configureHosted(each)
  return { mesh, host, peer, kubernetes }
}

/** A short window, and what else is asked. */
export async function configureHosted(host: Host, more: object = {}): Promise<void> {
  await configure(host, { ...QUICK, ...more })
}

export const daemonSet = ({ kubernetes }: HostedWorld): Promise<DaemonSetObject> =>
  kubernetes.get<DaemonSetObject>([...SYSTEM, 'daemonset', 'calico-node'])

/** As somebody else does it. */
export async function editDaemonSet({ kubernetes }: HostedWorld, patch: object): Promise<void> {
  await kubernetes.kubectl([...SYSTEM, 'patch', 'daemonset', 'calico-node', '-p', JSON.stringify(patch)])
}

export async function podOf({ kubernetes }: HostedWorld, host: Host): Promise<PodObject> {
  const selector = ['-l', 'k8s-app=calico-node', `--field-selector=spec.nodeName=${host.name}`]
  const { items } = await kubernetes.get<{ items: PodObject[] }>([...SYSTEM, 'pods', ...selector])
  const [pod] = items
  if (!pod || items.length !== 1) throw new Error(`${items.length} pods of calico-node on ${host.name}`)
  return pod
}

/** Tags, by container, of the template or of a pod. */
export function tags({
  initContainers = [],
  containers,
}: DaemonSetObject['spec']['template']['spec']): Record<string, string> {
  return Object.fromEntries(
    [...initContainers, ...containers].map(({ name, image }) => [name, image.split(':').at(-1) ?? '']),
  )
}

/** All that an operator sees of where a rollout stands. */
export async function standing(world: HostedWorld): Promise<object> {
  const { spec, metadata } = await daemonSet(world)
  const cordoned = await Promise.all(
    [world.host, world.peer].map(({ name }) => world.kubernetes.get<NodeObject>(['node', name])),
  )
  return {
    template: tags(spec.template.spec),
    host: tags((await podOf(world, world.host)).spec),
    peer: tags((await podOf(world, world.peer)).spec),
    strategy: spec.updateStrategy.type,
    marked: metadata.annotations?.['calico-agent/template'] !== undefined,
    cordoned: cordoned.filter((node) => node.spec?.unschedulable === true).length,
  }
}

/** By what the config of the host asks for. */
export async function upgradeAtNoCost(world: HostedWorld, host: Host): Promise<void> {
  const cost = await costOf(world, () => agent(host, 'upgrade'))
  expectOutcome(cost.result, 0, 'upgraded')
  expectNoCost(cost)
}

interface NodeEvent {
  /** Milliseconds since the first of them. */
  at: number
  action: string
  id: string
  signal: string
}

/**
 * What Docker says of the calico-nodes of a host since then, in words: two at once, or one that got TERM, each with all
 * that happened.
 */
export async function nodeFlaws(host: Host, since: number): Promise<string[]> {
  const events = await nodeEvents(host, since)
  const story = events.map(({ at, action, id, signal }) =>
    `${at} ${action} ${id.slice(0, 6)} ${signal}`.trim(),
  )
  const running = new Set<string>()
  const killed = new Set<string>()
  const flaws: string[] = []
  for (const { action, id, signal } of events) {
    if (action === 'die') running.delete(id)
    if (action === 'start') running.add(id)
    if (action === 'start' && running.size > 1) flaws.push('two calico-nodes at once')
    if (action === 'kill' && signal === '9') killed.add(id)
    if (action === 'kill' && !killed.has(id)) flaws.push(`signal ${signal} to a calico-node`)
  }
  return flaws.map((flaw) => `${flaw}: ${story.join(', ')}`)
}

async function nodeEvents(host: Host, since: number): Promise<NodeEvent[]> {
  const range = [since, Date.now()].map((ms) => (ms / 1000).toFixed(3))
  const argv = ['docker', 'events', '--since', range[0] ?? '', '--until', range[1] ?? '']
  const filters = ['--filter', 'type=container', '--filter', 'label=io.kubernetes.container.name=calico-node']
  const format = '{{.TimeNano}} {{.Action}} {{.ID}} {{.Actor.Attributes.signal}}'
  const said = await host.ok([...argv, ...filters, '--format', format])
  const fields = said
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '))
  return fields.map(([nanos, action = '', id = '', signal = '']) => {
    const at = Math.round((Number(nanos) - Number(fields[0]?.[0])) / 1e6)
    return { at, action, id, signal: signal === '<no' ? '' : signal }
  })
}
