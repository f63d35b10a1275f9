// A DaemonSet keeps calico-node, and something goes wrong: the image, the cluster, the kubelet, the Engine, the agent.

import { beforeAll, describe, expect, it } from 'vitest'
import { installFaultyAgent } from '../../faults/build.ts'
import { FAULTY_AGENT } from '../../faults/trial.ts'
import { grant, HOSTED_RULES, type Host, pullImage, until } from '../../lab/index.ts'
import {
  type AgentResult,
  agent,
  costOf,
  expectNoCost,
  expectOutcome,
  expectRefused,
  image,
  lab,
  parseReport,
} from '../support.ts'
import {
  configureHosted,
  editDaemonSet,
  type HostedWorld,
  hostedWorld,
  nodeFlaws,
  podOf,
  standing,
  tags,
} from './hosted.ts'

const [OLD, NEW] = ['v3.17.6', 'v3.20.0']
const ALLOWED = ['downgrade', 'datastore-migration', 'dropped-env'].flatMap((rule) => ['--allow', rule])

let world: HostedWorld
let host: Host

beforeAll(async () => {
  await installFaultyAgent(lab)
  world = await hostedWorld({ release: OLD })
  host = world.host
  // what fails is waited for
  await configureHosted(host, { window: 60 })
})

const upgrade = (node: string, ...more: string[]) =>
  agent(host, 'upgrade', '--node', node, ...more, ...ALLOWED)

/** Neither the other host nor a pod of this one moves. */
async function unmoved(action: () => Promise<void>): Promise<void> {
  const before = [await standing(world), await podOf(world, host), await podOf(world, world.peer)] as const
  await action()
  expect(await standing(world)).toEqual(before[0])
  expect((await podOf(world, host)).metadata.uid).toBe(before[1].metadata.uid)
  expect((await podOf(world, world.peer)).metadata.uid).toBe(before[2].metadata.uid)
}

/** Back to where it was, with a pod of its own, and the other host's pod untouched. */
async function rolledBack(action: () => Promise<AgentResult>, says: RegExp): Promise<void> {
  const since = Date.now()
  const [before, beside] = [await standing(world), await podOf(world, world.peer)]
  const cost = await costOf(world, action)
  const { report } = cost.result
  expectOutcome(cost.result, 4, 'rolled-back')
  expect(report.problems.map(({ message }) => message).join('\n')).toMatch(says)
  expect(await standing(world)).toEqual(before)
  expect((await podOf(world, world.peer)).metadata.uid).toBe(beside.metadata.uid)
  expect(await nodeFlaws(host, since)).toEqual([])
  expectNoCost(cost)
}

describe('a hosted upgrade is refused before anything moves', () => {
  it('where the credential may not change the DaemonSet or delete the pod', async () => {
    const [nodes, pods, sets] = HOSTED_RULES
    for (const rules of [
      [nodes, pods, { ...sets, verbs: ['get'] }],
      [nodes, { ...pods, verbs: ['get', 'list'] }, sets],
    ]) {
      await grant(world.kubernetes, rules as object[])
      await unmoved(async () => {
        const refused = await upgrade(image(NEW))
        expectRefused(refused, 'kubernetes-forbidden')
        expect(refused.report.problems.map(({ fix }) => fix).join()).toContain('kubectl create clusterrole')
      })
    }
    await grant(world.kubernetes, HOSTED_RULES)
  })

  it('where the image cannot be pulled', async () => {
    await unmoved(async () => {
      expectOutcome(await upgrade(image('no-such-tag')), 3, 'refused')
    })
  })

  it('where the DaemonSet replaces pods by itself', async () => {
    await editDaemonSet(world, {
      spec: { template: { metadata: { annotations: { theirs: `${Date.now()}` } } } },
    })
    const result = await upgrade(image(NEW))
    expectOutcome(result, 75, 'deferred')
    // where it is this host's turn, its pod may just have gone, and for a moment its container
    const codes = result.report.problems.map(({ code }) => code)
    expect(codes.join()).toMatch(/daemonset-rolling|pod-gone|pod-starting/)
    await world.kubernetes.untilRolledOut()
    await world.mesh.untilSettled()
  })
})

describe('a new pod that does not come up gives way to the old one', () => {
  it('with an image whose BIRD never comes', async () => {
    await rolledBack(() => upgrade(image('no-bird')), /BIRD is not up/)
  })

  it('with an image that exits at once', async () => {
    await rolledBack(() => upgrade(image('exits-at-once')), /it exited with code 1/)
  })

  it('with an init container that fails', async () => {
    await rolledBack(() => upgrade(image(NEW), '--cni', image('v2.6.12')), /install-cni: /)
  })

  it('with an image that the kubelet pulls anew, and cannot', async () => {
    const gone = image('nowhere-but-here')
    await setPullPolicy('Always')
    await pullImage(host, image(NEW))
    await host.ok(['docker', 'tag', image(NEW), gone])
    await rolledBack(() => upgrade(gone), /calico-node: (ErrImagePull|ImagePullBackOff)/)
    await setPullPolicy('IfNotPresent')
  })

  it('where no controller would make it: the old one is not touched', async () => {
    const { kubernetes } = world
    const { uid } = (await podOf(world, host)).metadata
    await kubernetes.killPart('kube-controller-manager')
    const restart = untilGoesBack().finally(() => kubernetes.startPart('kube-controller-manager'))
    await rolledBack(() => upgrade(image(NEW)), /the controller of DaemonSets has not observed/).finally(
      () => restart,
    )
    expect((await podOf(world, host)).metadata.uid).toBe(uid)
  })

  it('where nothing schedules it, until something does', async () => {
    const { kubernetes } = world
    await kubernetes.killPart('kube-scheduler')
    const restart = untilGoesBack().finally(() => kubernetes.startPart('kube-scheduler'))
    await rolledBack(() => upgrade(image(NEW)), /the pod is Pending/).finally(() => restart)
  })
})

/** Under RollingUpdate: on one host after the other. */
async function setPullPolicy(imagePullPolicy: string): Promise<void> {
  const containers = [{ name: 'calico-node', imagePullPolicy }]
  await editDaemonSet(world, { spec: { template: { spec: { containers } } } })
  await world.kubernetes.untilRolledOut()
  await world.mesh.untilSettled()
}

/** The next run does. */
async function untilGoesBack(): Promise<void> {
  const earlier = await newestJournal()
  await until('the way back', async () => {
    const now = await newestJournal()
    return now !== earlier && (await host.readFile(now)).includes('"type":"unwinding"')
  })
}

async function newestJournal(): Promise<string> {
  return (await host.ok(['sh', '-c', 'ls -d /var/lib/calico-agent/runs/*.jsonl | tail -1'])).trim()
}

const REACHED = '/tmp/reached'
const GO = '/tmp/go'

/** Stops the agent at a point, has `action` done there, and lets it go on. */
async function actAt(point: string, action: () => Promise<unknown>): Promise<AgentResult> {
  await host.ok(['rm', '-f', REACHED, GO])
  const script = `#!/bin/sh\ntouch ${REACHED}\nwhile [ ! -e ${GO} ]; do sleep 0.05; done\n`
  await host.writeFile('/tmp/wait', script, 0o755)
  const run = await host.start(faulty(await other()), { env: { AGENT_FAULT: `${point}=/tmp/wait` } })
  await until(point, () => host.exists(REACHED))
  try {
    await action()
  } finally {
    await host.writeFile(GO, '')
  }
  const { code, stdout, stderr } = await run.done
  return { code, stderr, report: parseReport(stdout, stderr) }
}

const faulty = (target: string): string[] => [
  `/opt/calico-agent/${FAULTY_AGENT}`,
  ...['upgrade', '--node', target, ...ALLOWED, '--json'],
]

/** The image that this host does not run. */
async function other(): Promise<string> {
  const { 'calico-node': tag } = tags((await podOf(world, host)).spec)
  return image(tag === OLD ? NEW : OLD)
}

/** Old or new, whole: one calico-node of the template, a Node that is schedulable, a strategy that is known. */
async function expectWhole(where: string, outcome: string): Promise<void> {
  await world.mesh.untilSettled()
  const {
    template,
    host: pod,
    strategy,
    marked,
    cordoned,
  } = (await standing(world)) as Record<string, unknown>
  expect({ where, outcome, pod, cordoned }).toEqual({ where, outcome, pod: template, cordoned: 0 })
  expect({ where, known: strategy === 'RollingUpdate' || marked === true }).toEqual({ where, known: true })
  const running = await host.docker.listContainers({
    filters: { label: ['io.kubernetes.container.name=calico-node'], status: ['running'] },
  })
  expect({ where, running: running.length }).toEqual({ where, running: 1 })
}

async function settled({ report }: AgentResult): Promise<string> {
  let { outcome } = report
  for (let tries = 0; tries < 3 && outcome === 'stuck'; tries++)
    outcome = (await agent(host, 'resume')).report.outcome
  return outcome
}

describe('something that ends in the middle', () => {
  const away = async (): Promise<void> => {
    await world.kubernetes.killPart('kube-apiserver')
    setTimeout(() => void world.kubernetes.startPart('kube-apiserver'), 4_000)
  }
  it.each(['before kubernetes.patch#2', 'after kubernetes.patch#2', 'after kubernetes.remove#1'])(
    'the API server, %s',
    async (point) => {
      const since = Date.now()
      const outcome = await settled(await actAt(point, away))
      await world.kubernetes.start()
      expect(['upgraded', 'rolled-back', 'refused']).toContain(outcome)
      await expectWhole(point, outcome)
      expect((await nodeFlaws(host, since)).filter((flaw) => flaw.startsWith('two'))).toEqual([])
    },
  )

  it.each([
    ['the kubelet, restarted', ['systemctl', 'restart', 'kubelet']],
    ['the Engine, restarted', ['systemctl', 'restart', 'docker']],
  ])('%s', async (where, command) => {
    const since = Date.now()
    const outcome = await settled(await actAt('after kubernetes.remove#1', () => host.ok(command)))
    expect(['upgraded', 'rolled-back']).toContain(outcome)
    await expectWhole(where, outcome)
    expect((await nodeFlaws(host, since)).filter((flaw) => flaw.startsWith('two'))).toEqual([])
  })
})

describe('an agent that dies', () => {
  it.each([
    ['before kubernetes.patch#2', false],
    ['after kubernetes.patch#2', false],
    ['before kubernetes.remove#1', false],
    ['after kubernetes.remove#1', false],
    ['after docker.killContainer#1', false],
    ['after journal.append#13', false],
    ['before kubernetes.patch#3', false],
    ['after kubernetes.remove#1', true],
  ])('%s, and its host with it: %s', async (point, powerCut) => {
    const since = Date.now()
    const { code } = await host.run(faulty(await other()), { env: { AGENT_FAULT: `${point}=kill` } })
    expect({ point, code }).toEqual({ point, code: 137 })
    if (powerCut) {
      await host.powerCut()
      await host.powerOn()
      await world.kubernetes.untilReady(host)
    }
    const { outcome } = (await agent(host, 'resume')).report
    expect(['upgraded', 'rolled-back', 'refused', 'unchanged']).toContain(outcome)
    await expectWhole(point, outcome)
    if (!powerCut) expect((await nodeFlaws(host, since)).filter((flaw) => flaw.startsWith('two'))).toEqual([])
  })
})
