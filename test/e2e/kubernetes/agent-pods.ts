// The agent's own image in the lab's registry, and scripts/kubernetes/ with it.

import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PodObject } from '../../../agent/core/kubernetes/pod.ts'
import type { Report } from '../../../agent/core/report/report.ts'
import { blocks, root, section, textOf } from '../../docs/markdown.ts'
import { askRegistry, type Host, type Kubernetes, until } from '../../lab/index.ts'
import { buildImage } from '../agent-image.ts'
import { program } from '../program.ts'
import { type AgentResult, lab, parseReport } from '../support.ts'

const manifests = join(root, 'scripts/kubernetes')

export const NAMESPACE = 'calico-agent'
export const ACCOUNT = `system:serviceaccount:${NAMESPACE}:calico-agent`

/**
 * The image of this very agent, in the lab's registry. It is built once for each agent, and best before anything else runs
 * on the host: a build and a push have a kubelet's probes time out.
 */
export async function publishImage(host: Host): Promise<string> {
  const hash = createHash('sha256')
  for (const file of ['dist/agent', 'Dockerfile']) hash.update(await readFile(join(root, file)))
  const image = `${lab.registry.address}/calico-host-agent:${hash.digest('hex').slice(0, 12)}`
  if ((await host.run(['docker', 'manifest', 'inspect', '--insecure', image])).code === 0) return image
  await buildImage(host, image)
  await askRegistry(host, ['docker', 'push', image])
  return image
}

/** A calico/node that goes wrong in this way, and calls itself a later version than those that run. */
export async function publishBadImage(host: Host, flavour: string): Promise<string> {
  const [from, image] = [lab.registry.image(flavour), lab.registry.image(`v3.26.1-${flavour}`)]
  const label = 'org.opencontainers.image.version=v3.26.1'
  const build = `printf 'FROM %s\\nLABEL %s\\n' ${from} ${label} | docker build --tag ${image} -`
  await askRegistry(host, ['sh', '-c', `${build} && docker push ${image}`])
  return image
}

/** What an operator sets in scripts/kubernetes/: the image, and a line of the config. */
interface Settings {
  image: string
  line: string
  /** In seconds; a test need not show how long the default is. */
  settle?: number
}

/** Types what docs/in-cluster.md says under a heading; resolves to the last output. */
export async function typeLines(
  kubernetes: Kubernetes,
  heading: string,
  settings: Settings,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'calico-agent-manifests-'))
  try {
    await writeManifests(directory, settings)
    let said = ''
    for (const line of linesUnder(heading)) {
      const words = line.split(' ').map((word) => word.replace('scripts/kubernetes/', `${directory}/`))
      said = await kubernetes.kubectl(words.slice(1))
    }
    return said
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** Those for kubectl that end by themselves, and have nothing to fill in. */
function linesUnder(heading: string): string[] {
  const lines = blocks(section(textOf('docs/in-cluster.md'), heading), 'sh').flatMap((body) =>
    body.split('\n'),
  )
  return lines.filter((line) => line.startsWith('kubectl ') && !/ --follow| NODE/.test(line))
}

async function writeManifests(directory: string, { image, line, settle = 2 }: Settings): Promise<void> {
  for (const name of await readdir(manifests)) {
    const text = (await readFile(join(manifests, name), 'utf8'))
      .replace(/image: .*calico-host-agent.*/, `image: ${image}`)
      // a test need not show how long the defaults are
      .replace(
        '# release: v3.17.6',
        [line, `registry: ${lab.registry.address}`, 'window: 60', `settle: ${settle}`].join('\n    '),
      )
    await writeFile(join(directory, name), text)
  }
}

/** What an earlier test left of it. */
export async function removeAgent(kubernetes: Kubernetes): Promise<void> {
  const gone = ['--ignore-not-found', '--wait=false']
  await kubernetes.kubectl(['delete', '-n', NAMESPACE, 'daemonset', 'calico-agent', ...gone])
  await kubernetes.kubectl(['delete', '-n', NAMESPACE, 'pods', '--all', '--force', '--grace-period=0'])
  await kubernetes.kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--timeout=300s'])
}

export async function agentContainer(host: Host): Promise<string> {
  const label = 'io.kubernetes.container.name=agent'
  return (await host.ok(['docker', 'ps', '--quiet', '--filter', `label=${label}`])).trim()
}

/** How long after the kubelet moved the ConfigMap's `..data` the agent of this host read it, in ms. */
export async function readAfter(host: Host): Promise<number> {
  const data = '/var/lib/kubelet/pods/*/volumes/kubernetes.io~configmap/config/..data'
  const moved = await host.ok(['sh', '-c', `date -u -d "$(stat -c %y ${data})" +%FT%T.%3NZ`])
  const log = await host.ok(['sh', '-c', `docker logs ${await agentContainer(host)} 2>&1`])
  const reads = log.split('\n').filter((line) => line.includes('"event":"config"'))
  const { time } = JSON.parse(reads.at(-1) ?? '{}') as { time: string }
  return Date.parse(time) - Date.parse(moved.trim())
}

/** The agent in its pod on this host, with `--json`. */
export async function agentIn(host: Host, ...args: string[]): Promise<{ code: number; report: Report }> {
  const id = await agentContainer(host)
  const { code, stdout, stderr } = await host.run(['docker', 'exec', id, 'agent', ...args, '--json'])
  return { code, report: parseReport(stdout, stderr) }
}

/** The same by kubectl, whatever runs the pod. */
export async function agentInPod(
  kubernetes: Kubernetes,
  host: Host,
  ...args: string[]
): Promise<AgentResult> {
  const of = ['-n', NAMESPACE, '-l', 'app=calico-agent', `--field-selector=spec.nodeName=${host.name}`]
  const { items } = await kubernetes.get<{ items: PodObject[] }>([...of.slice(0, 2), 'pods', ...of.slice(2)])
  const pod = items[0]?.metadata.name ?? ''
  const argv = kubernetes.kubectlArgs(['exec', '-n', NAMESPACE, pod, '--', 'calico-agent', ...args, '--json'])
  const { code, stdout, stderr } = await program(argv as [string, ...string[]], process.env)
  return { code, report: parseReport(stdout, stderr), stderr }
}

interface Rule {
  apiGroups: string[]
  resources: string[]
  resourceNames?: string[]
  verbs: string[]
}

export interface Right {
  /** As RBAC names it, with its group. */
  resource: string
  /** Empty: of the whole cluster. */
  namespace: string
  verb: string
}

/** Of what a rule is for by name. */
const NAMES: Record<string, string> = {
  configmaps: '/calico-config',
  'daemonsets.apps': '/calico-node',
  'deployments.apps': '/calico-kube-controllers',
  'leases.coordination.k8s.io': '/calico-agent.default',
}

/** Takes one verb out of the account's role. Resolves to what gives it back. */
export async function takeAway(
  kubernetes: Kubernetes,
  { resource, namespace, verb }: Right,
): Promise<() => Promise<void>> {
  const kind = namespace === '' ? 'clusterrole' : 'role'
  const scope = namespace === '' ? [] : ['-n', namespace]
  const role = await kubernetes.get<{ rules: Rule[] }>([...scope, kind, 'calico-agent'])
  const isIt = ({ apiGroups, resources }: Rule): boolean =>
    [resources[0], apiGroups[0]].filter(Boolean).join('.') === resource
  const rules = role.rules.map((rule) =>
    isIt(rule) ? { ...rule, verbs: rule.verbs.filter((one) => one !== verb) } : rule,
  )
  const write = async (wanted: Rule[], allowed: 'yes' | 'no'): Promise<void> => {
    const patch = JSON.stringify({ rules: wanted.filter(({ verbs }) => verbs.length > 0) })
    await kubernetes.kubectl(['patch', ...scope, kind, 'calico-agent', '--type=merge', '--patch', patch])
    const name = verb === 'create' ? '' : (NAMES[resource] ?? '')
    const question = ['auth', 'can-i', verb, `${resource}${name}`, `--as=${ACCOUNT}`, ...scope]
    const answered = async (): Promise<boolean> =>
      (await kubernetes.kubectl(question).catch(() => 'no')).trim() === allowed
    await until(`${verb} ${resource}: ${allowed}`, answered, { everyMs: 200 })
  }
  await write(rules, 'no').catch(async (error: unknown) => {
    await write(role.rules, 'yes')
    throw error
  })
  return () => write(role.rules, 'yes')
}
