// The Node of a host that is upgraded, on a real API server, by the credential of a real kubelet. calico/node is a container
// of Docker's own: no pod is replaced.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { StatusReport } from '../../../agent/core/report/status.ts'
import { installFaultyAgent } from '../../faults/build.ts'
import { type Host, until } from '../../lab/index.ts'
import { startAgent } from '../background.ts'
import { ask, replaceConfig, startService, systemctl, untilService } from '../service.ts'
import {
  agent,
  configure,
  costOf,
  expectNoCost,
  expectRefused,
  image,
  lab,
  nodeId,
  type World,
  world,
} from '../support.ts'
import { MOMENTS } from '../under-way.ts'
import {
  BOTH_WAYS,
  cluster,
  clusterStatus,
  DEATHS,
  documentedRole,
  expectOneNode,
  faultyUpgrade,
  KUBECTL,
  nodeSeen,
  otherImage,
  SCHEDULABLE,
  startCluster,
  UNSERVED_WEBHOOK,
  upgradeWhile,
} from './cordons.ts'

const QUICK = { window: 60, settle: 1, apply: 'auto' }
const CREDENTIAL = '/var/lib/kubelet/pki/kubelet-client-current.pem'

let at: World
let host: Host
let peer: Host

beforeAll(async () => {
  await installFaultyAgent(lab)
  at = await world()
  ;({ host, peer } = at)
  await startCluster()
  await cluster.joinNode(host)
  await inCluster()
})

afterEach(async () => {
  await cluster.startPart('kube-apiserver')
  await cluster.kubectl(['uncordon', host.name])
})

afterAll(async () => {
  await cluster.kubectl(['delete', 'nodes', '--all'])
  await cluster.kill()
})

const inCluster = (kubernetes: object = {}): Promise<void> => configure(host, { ...QUICK, kubernetes })

/** An upgrade to the other image, that has come so far and goes on. */
async function upgradeUntil(moment: RegExp) {
  const run = await startAgent(host, 'upgrade', '--node', await otherImage(host), ...BOTH_WAYS)
  await run.untilLogs(moment)
  return run
}

const upgrade = async (...flags: string[]) =>
  agent(host, 'upgrade', '--node', await otherImage(host), ...BOTH_WAYS, ...flags)

describe('the Node of a host', () => {
  it('is cordoned while the window is open, and by nobody after it, at no cost', async () => {
    const cost = await costOf(at, async () => {
      const seen = '/tmp/seen-in-the-window'
      const result = await upgradeWhile(host, `agent status --json >${seen}`)
      return { ...result, during: JSON.parse(await host.readFile(seen)) as StatusReport }
    })
    expectNoCost(cost)
    const { code, report, during } = cost.result
    const { run } = report
    expect({ code, problems: report.problems }).toEqual({ code: 0, problems: [] })
    expect(during.kubernetes).toEqual({
      node: { name: host.name, unschedulable: true, cordonedBy: 'calico-agent', run },
      uncordonPending: null,
    })
    expect(report.kubernetes).toEqual({ node: host.name, cordonedBy: null, uncordonPending: false })
    expect(await nodeSeen(host.name)).toEqual(SCHEDULABLE)
    expect(await host.ok(['agent', 'history', run ?? ''])).toContain(`uncordon ${host.name}`)
  })

  it('is uncordoned with the rest where the image is bad', async () => {
    const { code, report } = await agent(host, 'upgrade', '--node', image('exits-at-once'))
    expect({ code, outcome: report.outcome }).toEqual({ code: 4, outcome: 'rolled-back' })
    expect(await nodeSeen(host.name)).toEqual(SCHEDULABLE)
    await expectOneNode(host)
  })

  it('stays cordoned where an operator had cordoned it, and the report says who', async () => {
    await cluster.kubectl(['cordon', host.name])
    const { code, report } = await upgrade()
    expect({ code, codes: report.problems.map((one) => one.code) }).toEqual({
      code: 0,
      codes: ['cordoned-before'],
    })
    expect(report.kubernetes).toMatchObject({ cordonedBy: 'kubectl' })
    expect(await nodeSeen(host.name)).toEqual({ unschedulable: true, run: null })
  })

  it.each([
    ['cordoned anew', ['uncordon host1', 'cordon host1'], true],
    ['uncordoned', ['uncordon host1'], false],
    ['taken over', ['annotate node host1 calico-agent/cordoned-by-'], true],
  ])('is left alone where an operator has it %s meanwhile', async (_, commands, unschedulable) => {
    const script = commands.map((command) => `${KUBECTL} ${command.replace('host1', host.name)}`).join(' && ')
    expect(await upgradeWhile(host, script)).toMatchObject({ code: 0, report: { problems: [] } })
    expect(await nodeSeen(host.name)).toEqual({ unschedulable, run: null })
  })

  it('stays cordoned while its kubelet stops and starts', async () => {
    const seen = '/root/seen-after-restart'
    const look = `${KUBECTL} get node ${host.name} -o 'jsonpath={.spec.unschedulable}' >${seen}`
    const run = await upgradeWhile(host, `systemctl restart kubelet && ${look} && systemctl stop kubelet`)
    expect(run).toMatchObject({ code: 0, report: { problems: [] } })
    expect(await host.readFile(seen)).toBe('true')
    expect(await nodeSeen(host.name)).toEqual(SCHEDULABLE)
    await host.ok(['systemctl', 'start', 'kubelet'])
  })
})

describe('an API server that is away', () => {
  it('before the run stands against it, unless that is allowed', async () => {
    const id = await nodeId(host)
    await cluster.killPart('kube-apiserver')
    const refused = await upgrade()
    expectRefused(refused, 'kubernetes-unreachable')
    const [problem] = refused.report.problems
    expect(problem?.message).toBe(
      `cannot reach the Kubernetes API at ${cluster.server}: connect ECONNREFUSED ${cluster.address}:443`,
    )
    expect(problem?.fix).toBe(
      'kubectl --kubeconfig /etc/kubernetes/kubelet.conf get --raw /version shows whether it answers; --allow kubernetes-unreachable overrides',
    )
    expect(await nodeId(host)).toBe(id)

    const { code, report } = await upgrade('--allow', 'kubernetes-unreachable')
    expect({ code, kubernetes: report.kubernetes }).toEqual({ code: 0, kubernetes: null })
    expect(report.problems).toMatchObject([{ code: 'kubernetes-unreachable', severity: 'warning' }])
    await cluster.startPart('kube-apiserver')
    expect(await nodeSeen(host.name)).toEqual(SCHEDULABLE)
  })

  /** The API server is gone before the uncordon, however late that is asked for. */
  const LONG = { ...QUICK, settle: 8, kubernetes: {} }

  it('in the middle leaves an uncordon pending, over a power cut as well, and resume does it', async () => {
    await configure(host, LONG)
    const run = await upgradeUntil(MOMENTS.windowOpen)
    await cluster.killPart('kube-apiserver')
    const { code, report } = await run.done
    expect({ code, codes: report.problems.map((one) => one.code) }).toEqual({
      code: 0,
      codes: ['uncordon-pending'],
    })
    expect(report.kubernetes).toMatchObject({ uncordonPending: true })
    expect(await clusterStatus(host)).toEqual({ node: null, uncordonPending: report.run })
    expect((await agent(host, 'resume')).code).toBe(75)

    await host.powerCut()
    await host.powerOn()
    await at.mesh.untilSettled()
    await cluster.startPart('kube-apiserver')
    expect(await nodeSeen(host.name)).toEqual({ unschedulable: true, run: report.run })
    expect((await agent(host, 'resume')).report).toMatchObject({ outcome: 'unchanged', problems: [] })
    expect(await nodeSeen(host.name)).toEqual(SCHEDULABLE)
    expect(await host.ok(['agent', 'history', report.run ?? ''])).toContain('accepted the pending uncordon')
  })

  it('and hangs does not delay the window', async () => {
    await configure(host, LONG)
    const run = await upgradeUntil(MOMENTS.windowOpen)
    await cluster.signalPart('kube-apiserver', 'SIGSTOP')
    const { code, report } = await run.done
    await cluster.signalPart('kube-apiserver', 'SIGCONT')
    expect({ code, codes: report.problems.map((one) => one.code) }).toEqual({
      code: 0,
      codes: ['uncordon-pending'],
    })
    // a call that was waited for takes 5 s
    const took = (kind: string): number => report.steps.find((step) => step.kind === kind)?.ms ?? Number.NaN
    const settleMs = LONG.settle * 1000
    expect(took('swap-container') - (report.window?.recoveredMs ?? 0) - settleMs).toBeLessThan(5_000)
    expect(took('uncordon')).toBeGreaterThan(4_900)
    expect((await agent(host, 'resume')).code).toBe(0)
    expect(await nodeSeen(host.name)).toEqual(SCHEDULABLE)
  })
})

describe('an agent that dies', () => {
  it.each(DEATHS)('%s leaves a Node that its resume uncordons', async (point) => {
    expect(await faultyUpgrade(host, `${point}=kill`)).toMatchObject({ code: 137 })
    const { report } = await agent(host, 'resume')
    expect(['upgraded', 'refused', 'rolled-back']).toContain(report.outcome)
    expect(report.kubernetes).toMatchObject({ uncordonPending: false })
    expect(await nodeSeen(host.name)).toEqual(SCHEDULABLE)
    await expectOneNode(host)
  })
})

describe('what stands against a cordon is named before anything moves', () => {
  afterEach(() => inCluster())

  /** A kubeconfig like the kubelet's, with another user. */
  async function kubeconfigWith(user: object): Promise<string> {
    const kubelets = JSON.parse(await host.readFile('/etc/kubernetes/kubelet.conf')) as object
    const path = '/root/other.conf'
    await host.writeFile(path, JSON.stringify({ ...kubelets, users: [{ name: 'lab', user }] }), 0o600)
    return path
  }

  async function objection(kubernetes: object) {
    await inCluster(kubernetes)
    const { code, report } = await upgrade()
    const [problem] = report.problems
    return { exit: code, outcome: report.outcome, ...problem }
  }
  const refused = { exit: 3, outcome: 'refused' }

  it('a credential of another node, which no role would help', async () => {
    const kubeconfig = '/root/host2.conf'
    const subject = { name: `system:node:${peer.name}`, group: 'system:nodes' }
    await host.writeFile(kubeconfig, await cluster.kubeconfigOf('node-other', subject), 0o600)
    const found = await objection({ kubeconfig })
    expect(found).toMatchObject({ ...refused, code: 'kubernetes-forbidden' })
    expect(found.message).toContain(`node "${peer.name}" is not allowed to modify node "${host.name}"`)
    expect(found.fix).toContain("use the credential of this host's kubelet")
  })

  it('a user without the right, with the command that grants it', async () => {
    const kubeconfig = '/root/nobody.conf'
    await host.writeFile(kubeconfig, await cluster.kubeconfigOf('nobody', { name: 'nobody' }), 0o600)
    const found = await objection({ kubeconfig, node: host.name })
    expect(found).toMatchObject({ ...refused, code: 'kubernetes-forbidden' })
    expect(found.fix).toContain(
      'kubectl create clusterrole calico-agent-get-nodes --verb=get --resource=nodes; then bind it to the user of the credential: kubectl create clusterrolebinding',
    )
  })

  it('a token that nobody knows, a file that is missing, and a Node that there is not', async () => {
    const kubeconfig = await kubeconfigWith({ token: 'garbage' })
    const unknown = await objection({ kubeconfig })
    expect(unknown).toMatchObject({ ...refused, code: 'kubernetes-credential' })
    expect(unknown.message).toContain(`does not accept the credential of ${kubeconfig} (401)`)
    const missing = await objection({ kubeconfig: '/root/missing.conf' })
    expect(missing).toMatchObject({ ...refused, code: 'kubernetes-credential' })
    expect(missing.message).toContain('no such file')
    const typo = await objection({ node: 'typo' })
    expect(typo).toMatchObject({ ...refused, code: 'kubernetes-node' })
    expect(typo.message).toContain('the cluster has no Node typo')
  })

  it('a webhook that does not answer, also by doctor, while status shows the Node', async () => {
    await cluster.apply(UNSERVED_WEBHOOK)
    try {
      const isAsked = async (): Promise<boolean> => (await objection({})).exit === 3
      await until('the webhook to be asked', isAsked)
      const found = await objection({})
      expect(found).toMatchObject({ ...refused, code: 'kubernetes-refused' })
      expect(found.message).toContain('failed calling webhook "unserved.example.com"')
      expect(found.fix).toContain('kubectl get validatingwebhookconfigurations')
      expect(await host.run(['agent', 'doctor'])).toMatchObject({
        code: 3,
        stdout: expect.stringContaining('failed calling webhook') as string,
        stderr: '',
      })
      expect((await clusterStatus(host))?.node).toMatchObject({ name: host.name })
    } finally {
      await cluster.kubectl(['delete', 'validatingwebhookconfiguration', 'unserved'])
    }
  })
})

describe('a Node of another name than its host', () => {
  it('is found by its address, with the rights that the docs name', async () => {
    const addresses = [{ type: 'InternalIP', address: peer.address }]
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker-7' }, status: { addresses } }
    await cluster.apply(node, ...documentedRole('calico-agent'))
    const kubeconfig = '/root/agent.conf'
    await peer.writeFile(kubeconfig, await cluster.kubeconfigOf('agent', { name: 'calico-agent' }), 0o600)
    await configure(peer, { ...QUICK, kubernetes: { kubeconfig } })

    const { code, report } = await agent(peer, 'upgrade', '--node', image('v2.6.12'))
    expect({ code, outcome: report.outcome }).toEqual({ code: 0, outcome: 'upgraded' })
    expect(report.kubernetes).toEqual({ node: 'worker-7', cordonedBy: null, uncordonPending: false })
    expect(await nodeSeen('worker-7')).toEqual(SCHEDULABLE)
  })
})

describe('the service', () => {
  it("cordons by the kubelet's credential, reads a rotated one, and uncordons when it can", async () => {
    // a service goes forward only
    if ((await otherImage(host)) === image('v2.6.5')) await upgrade()
    await inCluster()
    await startService(host)
    await untilService(host, 'idle')

    const old = await host.readFile(CREDENTIAL)
    await host.writeFile(CREDENTIAL, 'rotated by half', 0o600)
    expect((await serviceStatus()).kubernetes?.node).toBeNull()
    await host.writeFile(CREDENTIAL, old, 0o600)
    expect((await serviceStatus()).kubernetes?.node).toMatchObject({ name: host.name })

    const asked = { kubernetes: {}, node: { image: image('v2.6.12') } }
    await replaceConfig(host, { ...QUICK, settle: 10, ...asked })
    await until('the cordon', async () => (await nodeSeen(host.name)).unschedulable)
    await cluster.killPart('kube-apiserver')
    await untilService(host, 'idle', 'upgraded')
    expect(await ask(host, '/metrics')).toContain('calico_agent_uncordon_pending 1\n')
    await cluster.startPart('kube-apiserver')
    const isFree = async (): Promise<boolean> => !(await nodeSeen(host.name)).unschedulable
    await until('the uncordon', isFree)
    await untilService(host, 'idle', 'upgraded')
    const metrics = await ask(host, '/metrics')
    expect(metrics).toContain('calico_agent_uncordon_pending 0\n')
    expect(metrics).toContain(`calico_agent_node_unschedulable{node="${host.name}"} 0\n`)
    await systemctl(host, 'disable', '--now')
  })

  async function serviceStatus() {
    const { host: seen } = JSON.parse(await ask(host, '/status')) as {
      host: { kubernetes: Awaited<ReturnType<typeof clusterStatus>> }
    }
    return seen
  }
})
