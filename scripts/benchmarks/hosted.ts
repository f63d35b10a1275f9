import { AGENT_KUBECONFIG, admitAgents, type Host, type Kubernetes, watchBird } from '../../test/lab/index.ts'
import { type Part, type Stage, say } from './part.ts'
import { untilQuiet } from './quiet.ts'
import type { Series } from './statistics.ts'
import { configure, runAgent } from './upgrades.ts'

/** The first one's PID 1 hands TERM on to BIRD. */
const [OLD, NEW] = ['term-to-bird', 'v2.6.12']
const SYSTEM = ['-n', 'kube-system'] as const
const LIMIT_S = 300

/** How the pod of the host gets from one image to the other. */
type Way = (at: Hosted, image: string) => Promise<void>

const ways: Record<string, Way> = {
  agent: byAgent,
  'kubectl delete': byDelete,
  RollingUpdate: byRollingUpdate,
}

/** Whether the host has the image before, or the kubelet must pull it. */
const places = ['local', 'not local'] as const

interface Hosted extends Stage {
  kubernetes: Kubernetes
  peer: Host
}

interface Round {
  lost: number
  downMs: number
  requests: number
}

export const hosted: Part = {
  name: 'hosted',
  title: 'the pod of a DaemonSet',
  rounds: 5,
  how: `A real Kubernetes 1.23.17 on two hosts. The pod of calico-node on one of them goes from an image whose PID 1 hands
TERM on to BIRD to another image, while the pods of both hosts ping each other, every 10 ms. The agent changes one host;
\`kubectl delete\` is \`kubectl set image\` with \`OnDelete\`, then \`kubectl delete pod\`; under \`RollingUpdate\`, \`kubectl set
image\` alone moves both hosts. The gap is measured from outside: from the last answer of the old BIRD to the first one
of the new BIRD. Requests are those that the API server counted for the agent. Rows name their units.`,
  meaning:
    'The kubelet ends a pod by TERM. A BIRD that gets it closes its sessions, and its peers delete the routes at once; the agent kills it in the moment of the delete. With the grace period of 0 s of calico.yaml, the kubelet starts the new calico-node beside the one that ends, so that two BIRDs overlap and the gap of the others is next to nothing: what they cost is the packets. An image that is not there is pulled by the agent before, and by the kubelet inside the gap.',
  ratios: [
    {
      key: 'hostedGapVsDelete',
      of: 'agent, local: gap, ms',
      to: 'kubectl delete, local: gap, ms',
      atMost: 1,
    },
    {
      key: 'hostedGapVsDeleteNotLocal',
      of: 'agent, not local: gap, ms',
      to: 'kubectl delete, not local: gap, ms',
      atMost: 1,
    },
  ],
  totals: (series) => ({
    hostedLost: lostBy(series, 'agent'),
    hostedLostByDelete: lostBy(series, 'kubectl delete'),
    hostedLostByRollingUpdate: lostBy(series, 'RollingUpdate'),
  }),
  figures: [{ key: 'hostedRequests', of: 'agent, local: requests' }],
  async measure(stage) {
    const at = await setUp(stage)
    try {
      return await measureAll(at)
    } finally {
      await at.kubernetes.kill()
    }
  },
}

async function setUp(stage: Stage): Promise<Hosted> {
  const kubernetes = stage.lab.kubernetes()
  const [, peer] = stage.mesh.hosts as [Host, Host]
  await kubernetes.start()
  await kubernetes.resetHosted(stage.mesh, { release: NEW, node: OLD })
  await admitAgents(kubernetes, [stage.host])
  return { ...stage, kubernetes, peer }
}

async function measureAll(at: Hosted): Promise<Series[]> {
  const all = places.flatMap((place) =>
    Object.entries(ways).map(([name, way]) => ({
      label: `${name}, ${place}`,
      way,
      place,
      rounds: [] as Round[],
    })),
  )
  for (let round = 0; round < at.rounds; round++) {
    const first = round % all.length
    for (const one of [...all.slice(first), ...all.slice(0, first)]) {
      await untilQuiet()
      const found = await replacePod(at, one.way, one.place)
      one.rounds.push(found)
      say(
        `hosted ${round + 1}/${at.rounds}: ${one.label}: gap ${found.downMs.toFixed(0)} ms, lost ${found.lost}`,
      )
    }
  }
  return all.flatMap(({ label, rounds }) => [
    { label: `${label}: gap, ms`, values: rounds.map(({ downMs }) => downMs) },
    { label: `${label}: packets lost`, values: rounds.map(({ lost }) => lost) },
    ...(label.startsWith('agent')
      ? [{ label: `${label}: requests`, values: rounds.map(({ requests }) => requests) }]
      : []),
  ])
}

/** One replacement under traffic, and everything back as it was. */
async function replacePod(at: Hosted, way: Way, place: (typeof places)[number]): Promise<Round> {
  const { lab, mesh, host, peer, kubernetes } = at
  const image = lab.registry.image(NEW)
  for (const each of [host, peer])
    await each.run(['docker', ...(place === 'local' ? ['pull', '--quiet'] : ['rmi', '--force']), image])
  const [traffic, bird, before] = await Promise.all([
    mesh.traffic(host, peer),
    watchBird(host),
    kubernetes.requests(),
  ])
  await way(at, image)
  const downMs = await bird.down(LIMIT_S * 1000)
  await mesh.untilSettled()
  const [{ lost }, after] = [await traffic.stop(), await kubernetes.requests()]
  await putBack(at)
  return { lost, downMs, requests: after - before }
}

async function byAgent(stage: Hosted, image: string): Promise<void> {
  await configure(stage, { node: { image }, kubernetes: { kubeconfig: AGENT_KUBECONFIG } })
  await runAgent(stage)
}

async function byDelete({ kubernetes, host }: Hosted, image: string): Promise<void> {
  await setStrategy(kubernetes, 'OnDelete')
  await setImage(kubernetes, image)
  const pods = [...SYSTEM, 'pods', '-l', 'k8s-app=calico-node', `--field-selector=spec.nodeName=${host.name}`]
  await kubernetes.kubectl(['delete', ...pods])
}

async function byRollingUpdate({ kubernetes }: Hosted, image: string): Promise<void> {
  await setStrategy(kubernetes, 'RollingUpdate')
  await setImage(kubernetes, image)
  await kubernetes.untilRolledOut(LIMIT_S)
}

async function putBack({ lab, mesh, host, kubernetes }: Hosted): Promise<void> {
  await setStrategy(kubernetes, 'RollingUpdate')
  await setImage(kubernetes, lab.registry.image(OLD))
  await kubernetes.untilRolledOut(LIMIT_S)
  await mesh.untilSettled()
  await host.ok(['rm', '-rf', '/var/lib/calico-agent'])
}

async function setStrategy(kubernetes: Kubernetes, type: string): Promise<void> {
  const updateStrategy = { type, ...(type === 'OnDelete' && { rollingUpdate: null }) }
  const patch = JSON.stringify({ spec: { updateStrategy } })
  await kubernetes.kubectl([...SYSTEM, 'patch', 'daemonset', 'calico-node', '-p', patch])
}

async function setImage(kubernetes: Kubernetes, image: string): Promise<void> {
  await kubernetes.kubectl([...SYSTEM, 'set', 'image', 'daemonset/calico-node', `calico-node=${image}`])
}

function lostBy(series: Series[], way: string): number {
  const ofWay = series.filter(({ label }) => label.startsWith(`${way}, `) && label.endsWith(': packets lost'))
  return ofWay.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0)
}
