// The agent as a DaemonSet: `kubectl apply -f scripts/kubernetes`, and one line of its ConfigMap.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { JournalRecord } from '../../../agent/journal/record.ts'
import { blocks, rows, section, textOf } from '../../docs/markdown.ts'
import { type Host, type Kubernetes, until } from '../../lab/index.ts'
import { costOf, expectNoCost, image, lab, type World } from '../support.ts'
import {
  ACCOUNT,
  agentContainer,
  agentIn,
  NAMESPACE,
  publishBadImage,
  publishImage,
  readAfter,
  removeAgent,
  takeAway,
  typeLines,
} from './agent-pods.ts'

const NEW = 'v3.20.0'

/** What is named is not left out, as what a release brings may be. */
const UPGRADE = ['upgrade', '--node', image(NEW), '--controllers', lab.registry.controllersImage(NEW)]
/** What needs each right on Leases, where it is not any upgrade. */
const FLEET_COMMANDS: Record<string, string[]> = {
  list: ['fleet', 'status'],
  watch: [...UPGRADE, '--wait', '5m'],
}
/** Where the pod sees it as well. */
const EVERYTHING = '/var/lib/calico-agent/everything.yaml'
const everything = {
  kubernetes: { inCluster: true },
  fleet: { kubernetes: {} },
  hosted: { configMap: { veth_mtu: '1430' } },
}

let at: World
let kubernetes: Kubernetes
let agentImage: string

/** Lines of docs/in-cluster.md, with this line in the config. */
const typed = (heading: string, line: string, settle?: number): Promise<string> =>
  typeLines(kubernetes, heading, { image: agentImage, line, ...(settle && { settle }) })

beforeAll(async () => {
  const mesh = lab.workerMesh()
  const [host, peer] = mesh.hosts as [Host, Host]
  at = { mesh, host, peer }
  kubernetes = lab.kubernetes()
  await kubernetes.start()
  await removeAgent(kubernetes)
  await mesh.reset({ image: 'v3.17.6' })
  agentImage = await publishImage(host)
  await kubernetes.resetHosted(mesh, { release: 'v3.17.6' })
  await typed('## Install it', '# no target yet')
  await at.host.writeFile(EVERYTHING, JSON.stringify(everything), 0o600)
})

afterAll(async () => {
  await removeAgent(kubernetes)
  await kubernetes.kill()
})

/** Verbs by resource, beyond those of any account. */
async function rightsIn(namespace: string): Promise<string[]> {
  const list = (account: string) =>
    kubernetes.kubectl(['auth', 'can-i', '--list', `--as=${account}`, '-n', namespace])
  const [own, anyones] = await Promise.all([
    list(ACCOUNT),
    list(`system:serviceaccount:${NAMESPACE}:default`),
  ])
  const lines = (text: string): string[] => text.split('\n').map((line) => line.replace(/ +/g, ' ').trim())
  return lines(own)
    .filter((line) => !lines(anyones).includes(line))
    .sort()
}

/** The tables of docs/in-cluster.md under a heading. */
const documentedIn = (heading: string) =>
  rows(section(textOf('docs/in-cluster.md'), heading)).map((row) => {
    const [resource = '', namespace = '', names = '', verbs = ''] = row.map((cell) =>
      cell.replace(/^-$|`/g, ''),
    )
    return { resource, namespace, names, verbs }
  })
const documented = documentedIn('## Kubernetes permissions')
/** On nodes without Docker alone. */
const further = documentedIn('### Further rights').map((rule) => JSON.stringify(rule))

it('may do what docs/in-cluster.md says, and no more', async () => {
  for (const here of ['kube-system', NAMESPACE, 'default']) {
    const rules = documented.filter(({ namespace }) => namespace === '' || namespace === here)
    const lines = rules.map(({ resource, names, verbs }) => `${resource} [] [${names}] [${verbs}]`)
    expect(await rightsIn(here), here).toEqual(lines.sort())
  }
})

const rights = documented
  .filter((rule) => !further.includes(JSON.stringify(rule)))
  .flatMap(({ verbs, ...rule }) => verbs.split(' ').map((verb) => ({ ...rule, verb })))

it.each(rights)('changes nothing without the right to $verb $resource, and names it', async (right) => {
  const { resource, verb } = right
  // what is created is not patched
  if (verb === 'create') await kubernetes.kubectl(['delete', '-n', NAMESPACE, 'lease', '--all'])
  else if (['patch', 'watch'].includes(verb) && resource.startsWith('leases'))
    await kubernetes.apply(freeLease)
  const restore = await takeAway(kubernetes, right)
  try {
    const command = resource.startsWith('leases') ? (FLEET_COMMANDS[verb] ?? UPGRADE) : UPGRADE
    const { code, report } = await agentIn(at.host, ...command, '--config', EVERYTHING)
    expect({ code, changed: report.changed }).toEqual({ code: 3, changed: false })
    const fixes = report.problems.map(({ fix }) => fix).join('\n')
    expect(fixes).toContain(`--verb=${verb} --resource=${resource}`)
  } finally {
    await restore()
  }
})

it('plans a whole manifest once its account may apply it', async () => {
  const [manifest, config] = ['/var/lib/calico-agent/calico.yaml', '/var/lib/calico-agent/manifest.yaml']
  const objects = kubernetes.calicoManifest({ hosts: at.mesh.hosts, release: NEW })
  await at.host.writeFile(manifest, objects.map((object) => JSON.stringify(object)).join('\n---\n'), 0o600)
  await at.host.writeFile(
    config,
    JSON.stringify({ kubernetes: { inCluster: true }, hosted: { manifest } }),
    0o600,
  )
  const plan = () => agentIn(at.host, 'plan', '--config', config)
  const refused = await plan()
  expect(refused).toMatchObject({ code: 3, report: { problems: [{ code: 'kubernetes-forbidden' }] } })
  const [, binding] = blocks(section(textOf('docs/in-cluster.md'), '## A whole manifest'), 'yaml')
  await kubernetes.kubectl(['apply', '-f', '-'], binding)
  try {
    const isGranted = async (): Promise<boolean> =>
      (await kubernetes.kubectl(['auth', 'can-i', '*', '*', `--as=${ACCOUNT}`])).startsWith('yes')
    await until('the right', isGranted)
    expect(await plan()).toMatchObject({ code: 0, report: { problems: [] } })
  } finally {
    await kubernetes.kubectl(['delete', 'clusterrolebinding', 'calico-agent-manifest'])
  }
})

const freeLease = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'calico-agent.default', namespace: NAMESPACE },
}

interface Lease {
  metadata: { annotations?: Record<string, string> }
  spec: { holderIdentity?: string }
}

const lease = (): Promise<Lease> => kubernetes.get<Lease>(['-n', NAMESPACE, 'lease', 'calico-agent.default'])

const unschedulable = async (): Promise<string[]> => {
  const template = '{range .items[?(@.spec.unschedulable)]}{.metadata.name} {end}'
  return (await kubernetes.kubectl(['get', 'nodes', '-o', `jsonpath=${template}`])).split(' ').filter(Boolean)
}

/** What the agents said, where it does not happen. */
async function untilOrLogs(...args: Parameters<typeof until>): Promise<void> {
  await until(...args).catch(async (cause: unknown) => {
    const logs = ['logs', '-n', NAMESPACE, '-l', 'app=calico-agent', '--prefix', '--tail=20']
    throw new Error(`${String(cause)}\n${await kubernetes.kubectl(logs)}`, { cause })
  })
}

/** The image that calico-node's container of each host was made from. */
async function running(host: Host): Promise<string> {
  const label = 'io.kubernetes.container.name=calico-node'
  const format = '{{.Image}}'
  const ids = await host.ok(['docker', 'ps', '--quiet', '--filter', `label=${label}`])
  const id = ids.split('\n')[0] ?? ''
  const imageId = (await host.ok(['docker', 'inspect', '--format', format, id])).trim()
  return await host.ok(['docker', 'image', 'inspect', '--format', '{{join .RepoTags " "}}', imageId])
}

/** What the journals of a host say, without the runs that only fetched. */
async function records(host: Host): Promise<JournalRecord[][]> {
  const { stdout } = await host.run([
    'sh',
    '-c',
    'for f in /var/lib/calico-agent/runs/*.jsonl; do cat $f; echo; done',
  ])
  return stdout
    .split('\n\n')
    .filter(Boolean)
    .map((text) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line.slice(9)) as JournalRecord),
    )
    .filter(([first]) => first?.type === 'run' && first.plan.command === 'upgrade')
}

/** From the first record to the last, of the only upgrade. */
async function workOf(host: Host): Promise<{ from: number; to: number }> {
  const [run = [], ...others] = await records(host)
  expect(others).toEqual([])
  expect(run.at(-1)).toMatchObject({ type: 'finished', outcome: 'upgraded' })
  expect(JSON.stringify(run)).not.toContain('dial-guard-unavailable')
  return { from: Date.parse(run[0]?.at ?? ''), to: Date.parse(run.at(-1)?.at ?? '') }
}

it('upgrades one node after the other when one line of the ConfigMap changes, without a packet lost', async () => {
  const seen: string[][] = []
  const cost = await costOf(at, async () => {
    await typed('## Upgrade the cluster', `release: ${NEW}`)
    const done = async (): Promise<boolean> => {
      seen.push(await unschedulable())
      const images = await Promise.all(at.mesh.hosts.map(running))
      return images.every((tags) => tags.includes(NEW)) && (await lease()).spec.holderIdentity === undefined
    }
    await until('both nodes to be upgraded', done, { everyMs: 300 })
  })
  expectNoCost(cost)
  const template = 'jsonpath={.spec.template.spec.containers[0].image}'
  const deployment = ['get', '-n', 'kube-system', 'deployment', 'calico-kube-controllers', '-o', template]
  expect(await kubernetes.kubectl(deployment)).toBe(lab.registry.controllersImage(NEW))
  expect(seen.filter((nodes) => nodes.length > 1)).toEqual([])
  expect(seen.filter((nodes) => nodes.length === 1)).not.toEqual([])
  const [one, other] = (await Promise.all(at.mesh.hosts.map(workOf))).sort((a, b) => a.from - b.from)
  expect(other?.from).toBeGreaterThan(one?.to ?? Infinity)
  expect(await unschedulable()).toEqual([])
  // not at the look that it takes every 30 s; a busy API server may keep one of them
  expect(Math.min(...(await Promise.all(at.mesh.hosts.map(readAfter))))).toBeLessThan(3_000)
})

it('stops at the first node that fails, and no other one starts with that image', async () => {
  const bad = await publishBadImage(at.host, 'exits-at-once')
  const before = await Promise.all(at.mesh.hosts.map(running))
  const cost = await costOf(at, async () => {
    await typed('## Upgrade the cluster', `node: { image: ${bad} }`)
    const halted = async (): Promise<boolean> =>
      /"failures":\[\{/.test((await lease()).metadata.annotations?.['calico-agent/fleet'] ?? '')
    await untilOrLogs('a node to fail', halted, { everyMs: 500 })
    const waits = async (): Promise<boolean> => {
      const logs = await kubernetes.kubectl(['logs', '-n', NAMESPACE, '-l', 'app=calico-agent', '--tail=50'])
      return logs.includes('fleet-halted')
    }
    await until('the other node to say so', waits, { everyMs: 1_000 })
  })
  expectNoCost(cost)
  const saysFailed = async (): Promise<boolean> =>
    /^host\d+ +failed/m.test(await typed('## One node at a time', '# no target'))
  await until('the node to say that it failed', saysFailed)
  const runs = (await Promise.all(at.mesh.hosts.map(records))).flat()
  const ofBad = runs.filter(([first]) => first?.type === 'run' && first.plan.components.node?.to === bad)
  expect(ofBad.map((run) => run.at(-1))).toMatchObject([{ type: 'finished', outcome: 'rolled-back' }])
  expect(await Promise.all(at.mesh.hosts.map(running))).toEqual(before)
  expect(await unschedulable()).toEqual([])
  expect((await lease()).spec.holderIdentity).toBeUndefined()
})

it('resumes with its Lease where an agent dies in the middle, while the other node waits', async () => {
  const next = 'v3.26.1'
  const cost = await costOf(at, async () => {
    await typed('## Upgrade the cluster', `node: { image: ${image(next)} }`, 10)
    let holder: string | undefined
    const cordoned = async (): Promise<boolean> => {
      ;[holder] = await unschedulable()
      return holder !== undefined
    }
    await untilOrLogs('a node to begin', cordoned, { everyMs: 50 })
    const host = at.mesh.hosts.find(({ name }) => name === holder) ?? at.host
    // in the trial: between the kill and the delete, the kubelet starts the old one again, and ends it
    await untilOrLogs('its new pod', async () => (await running(host)).includes(next), { everyMs: 100 })
    await host.ok(['docker', 'kill', await agentContainer(host)])
    expect((await lease()).spec.holderIdentity).toBe(holder)
    const done = async (): Promise<boolean> => {
      const images = await Promise.all(at.mesh.hosts.map(running))
      return images.every((tags) => tags.includes(next)) && (await lease()).spec.holderIdentity === undefined
    }
    await until('both nodes to be upgraded', done, { everyMs: 500 })
  })
  expectNoCost(cost)
  const runs = (await Promise.all(at.mesh.hosts.map(records))).flat()
  expect(runs.flat().filter(({ type }) => type === 'resumed')).toHaveLength(1)
  expect(await unschedulable()).toEqual([])
})

it('is gone after the last line of docs/in-cluster.md, also where a pod takes its time to end', async () => {
  // a namespace that still has a pod after 5 s waits for half of the pod's grace period before it looks again
  const pid = (
    await at.host.ok(['docker', 'inspect', '--format={{.State.Pid}}', await agentContainer(at.host)])
  ).trim()
  await at.host.ok(['kill', '-STOP', pid])
  const goesOn = sleep(10_000).then(() => at.host.ok(['kill', '-CONT', pid]))
  await Promise.all([typed('## Remove it', '# no target'), goesOn])
  expect(await kubernetes.kubectl(['get', 'namespaces', '-o', 'name'])).not.toContain(NAMESPACE)
})
