// kube-controllers that a Deployment of a real cluster keeps: from any host, never two at once, put back where they fail.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StatusReport } from '../../../agent/core/report/status.ts'
import { installFaultyAgent } from '../../faults/build.ts'
import { FAULTY_AGENT } from '../../faults/trial.ts'
import type { Host } from '../../lab/index.ts'
import { startAgent } from '../background.ts'
import { NAME } from '../controllers.ts'
import { agent, configure, expectRefused, lab, parseReport } from '../support.ts'
import { ADMIN, controllers, mostInCluster, nameCluster, overlapsIn, placed, stateOf } from './deployments.ts'

const kubernetes = lab.kubernetes()
const mesh = lab.workerMesh()
let since: number

beforeAll(async () => {
  await kubernetes.start()
  await Promise.all([kubernetes.resetHosted(mesh), installFaultyAgent(lab)])
  await nameCluster(kubernetes, mesh.hosts)
  since = Date.now()
})

afterAll(async () => {
  for (const host of mesh.hosts) await kubernetes.removeNode(host)
  await kubernetes.kill()
})

const upgrade = (host: Host, tag: string, ...flags: string[]) =>
  agent(host, 'upgrade', '--controllers', controllers(tag), ...flags)

async function neverTwo(): Promise<void> {
  expect([await mostInCluster(mesh.hosts, since), await overlapsIn(mesh.hosts)]).toEqual([1, ''])
}

describe('the Deployment of the controllers', () => {
  it('is brought to the image by one host, and the other finds nothing to do', async () => {
    const [here, elsewhere] = await placed(kubernetes, mesh.hosts)
    const { code, report } = await upgrade(here, 'v3.20.0')
    expect({ code, outcome: report.outcome, problems: report.problems }).toEqual({
      code: 0,
      outcome: 'upgraded',
      problems: [],
    })
    expect(report.steps.map(({ kind }) => kind)).toEqual(['pull-image', 'swap-deployment', 'commit'])
    expect(report.controllersDownMs).toBeLessThan(60_000)
    expect(await stateOf(kubernetes)).toBe('v3.20.0 Recreate, 1 available')
    const other = await upgrade(elsewhere, 'v3.20.0')
    expect([other.code, other.report.outcome, other.report.changed]).toEqual([0, 'unchanged', false])
    const status = JSON.parse(
      await elsewhere.ok(['agent', 'status', '--controllers', controllers('v3.20.0'), '--json']),
    ) as StatusReport
    expect(status.deployment).toMatchObject({
      name: NAME,
      version: '3.20.0',
      available: true,
      pods: [{ node: expect.any(String) as string }],
    })
    await neverTwo()
  })

  it('is brought to a release, and rolled back, from a host that does not run it', async () => {
    const [, elsewhere] = await placed(kubernetes, mesh.hosts)
    const moved = await agent(elsewhere, 'upgrade', '--to', 'v3.26.1', '--only', 'controllers')
    expect([moved.code, moved.report.outcome]).toEqual([0, 'upgraded'])
    const { code, report } = await agent(elsewhere, 'rollback')
    expect({ code, outcome: report.outcome }).toEqual({ code: 0, outcome: 'rolled-back' })
    expect(await stateOf(kubernetes)).toBe('v3.20.0 Recreate, 1 available')
    await neverTwo()
  })

  it('gets its image and its strategy back where the new pod crashes', async () => {
    const rolling =
      '{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}}'
    await kubernetes.kubectl(['-n', 'kube-system', 'patch', 'deployment', NAME, '-p', rolling])
    const [here] = await placed(kubernetes, mesh.hosts)
    const asked = ['--controllers', controllers('exits-at-once'), '--diff']
    const planned = await here.ok(['agent', 'plan', ...asked])
    expect(planned).toContain('and its strategy from RollingUpdate to Recreate')
    const { code, report } = await upgrade(here, 'exits-at-once')
    expect({ code, outcome: report.outcome }).toEqual({ code: 4, outcome: 'rolled-back' })
    expect(report.problems).toMatchObject([{ code: 'controllers-failed' }])
    expect(report.problems[0]?.message).toContain('CrashLoopBackOff: back-off')
    expect(await stateOf(kubernetes)).toBe('v3.20.0 RollingUpdate 1/0, 1 available')
    await neverTwo()
  })

  it('comes back where no kubelet can pull the image, and loses RollingUpdate for good with the next', async () => {
    const [, elsewhere] = await placed(kubernetes, mesh.hosts)
    const missing = '127.0.0.1:1/calico/kube-controllers:v3.26.1'
    const failed = await agent(elsewhere, 'upgrade', '--controllers', missing)
    expect([failed.code, failed.report.outcome]).toEqual([4, 'rolled-back'])
    expect(failed.report.problems.at(-1)?.message).toMatch(/ErrImagePull|ImagePullBackOff/)
    const { code } = await upgrade(elsewhere, 'v3.26.1')
    expect([code, await stateOf(kubernetes)]).toEqual([0, 'v3.26.1 Recreate, 1 available'])
    await neverTwo()
  })

  it('is not touched without the right, which is named', async () => {
    const [here] = await placed(kubernetes, mesh.hosts)
    await configure(here, { kubernetes: {} })
    const refused = await upgrade(here, 'v3.20.0', '--allow', 'downgrade')
    expectRefused(refused, 'kubernetes-forbidden')
    expect(refused.report.problems[0]?.fix).toContain('--verb=get --resource=deployments.apps')
    await nameCluster(kubernetes, mesh.hosts)
    expect(await stateOf(kubernetes)).toBe('v3.26.1 Recreate, 1 available')
  })

  it('is watched through a restart of the API server', async () => {
    const [here] = await placed(kubernetes, mesh.hosts)
    const image = controllers('v3.20.0')
    const run = await startAgent(here, 'upgrade', '--controllers', image, '--allow', 'downgrade')
    await run.untilLogs(/swap-deployment: verifying/)
    await kubernetes.killPart('kube-apiserver')
    await sleep(5_000)
    await kubernetes.startPart('kube-apiserver')
    const { code, report } = await run.done
    expect({ code, outcome: report.outcome }).toMatchObject({ code: 0, outcome: 'upgraded' })
    await neverTwo()
  })

  it.each([
    ['before kubernetes.patch#1', 'rolled-back', 'v3.20.0'],
    ['after kubernetes.patch#1', 'upgraded', 'v3.26.1'],
  ])('is whole after an agent that died %s', async (point, outcome, tag) => {
    const [here] = await placed(kubernetes, mesh.hosts)
    expect((await faulty(here, 'v3.26.1', `${point}=kill`)).code).toBe(137)
    const { report } = await agent(here, 'resume')
    expect(report.outcome).toBe(outcome)
    expect(await stateOf(kubernetes)).toBe(`${tag} Recreate, 1 available`)
    await neverTwo()
  })

  it('is left to somebody else who changes it in the middle', async () => {
    const [here] = await placed(kubernetes, mesh.hosts)
    const edit = `set image deployment/${NAME} ${NAME}=${controllers('v3.17.6')}`
    const kubectl = `/opt/kubernetes/kubectl --kubeconfig ${ADMIN} -n kube-system`
    await here.writeFile('/usr/local/bin/edit-meanwhile', `#!/bin/sh\nexec ${kubectl} ${edit}\n`, 0o755)
    const run = await faulty(here, 'v3.20.0', 'after kubernetes.patch#1=/usr/local/bin/edit-meanwhile')
    expect(run.code).toBe(4)
    const { problems } = parseReport(run.stdout, run.stderr)
    const codes = problems.map(({ code }) => code).filter((code) => code !== 'downgrade')
    expect(codes).toEqual(['template-changed', 'template-changed'])
    await kubernetes.untilRolledOut()
    expect(await stateOf(kubernetes)).toBe('v3.17.6 Recreate, 1 available')
    await neverTwo()
  })
})

async function faulty(host: Host, tag: string, fault: string) {
  const flags = ['--allow', 'downgrade', '--json']
  const argv = [`/opt/calico-agent/${FAULTY_AGENT}`, 'upgrade', '--controllers', controllers(tag), ...flags]
  return await host.run(argv, { env: { AGENT_FAULT: fault } })
}
