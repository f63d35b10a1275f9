// kube-controllers that Docker keeps: swapped after the node, never two at once.

import { beforeEach, describe, expect, it } from 'vitest'
import type { StatusReport } from '../../agent/core/report/status.ts'
import { until } from '../lab/index.ts'
import { quickly } from './background.ts'
import { controllers, mostAtOnce, NAME, overlaps, runControllers } from './controllers.ts'
import * as support from './support.ts'

let at: support.World
let flags: string[]

beforeEach(async () => {
  at = await support.world()
  flags = await quickly(at.host)
})

const upgrade = (...args: string[]) => support.agent(at.host, 'upgrade', ...args, ...flags)
const NODE = 'calico-node v2.6.5 running always'

describe('controllers', () => {
  it('are swapped, put back, and told of', async () => {
    const { host } = at
    await runControllers(host, controllers('v3.20.0'))
    const since = Date.now()
    const { code, report } = await upgrade('--controllers', controllers('v3.26.1'))
    expect({ code, outcome: report.outcome, problems: report.problems }).toEqual({
      code: 0,
      outcome: 'upgraded',
      problems: [],
    })
    expect(report.controllersDownMs).toBeGreaterThan(0)
    expect(report.controllersDownMs).toBeLessThan(25_000)
    expect(await support.containers(host)).toEqual([
      `${NAME} v3.26.1 running always`,
      `${NAME}-parked-RUN v3.20.0 exited no`,
      NODE,
    ])
    expect((await upgrade('--controllers', controllers('v3.26.1'))).report.outcome).toBe('unchanged')
    const status = JSON.parse(await host.ok(['agent', 'status', '--json'])) as StatusReport
    expect(status.controllers).toMatchObject({
      container: NAME,
      version: '3.26.1',
      owner: { kind: 'docker' },
    })

    const back = await support.agent(host, 'rollback', ...flags)
    expect(back).toMatchObject({ code: 0, report: { outcome: 'rolled-back', changed: true } })
    expect(await support.containers(host)).toEqual([
      `${NAME} v3.20.0 running always`,
      `${NAME}-parked-RUN v3.26.1 exited no`,
      NODE,
    ])
    expect([await mostAtOnce(host, since), await overlaps(host)]).toEqual([1, ''])
  })

  it('that fail do not take the node back with them', async () => {
    const { host } = at
    await runControllers(host, controllers('v3.20.0'))
    const asked = ['--node', support.image('v2.6.12'), '--controllers', controllers('exits-at-once')]
    const { stdout } = await host.run(['agent', 'plan', ...asked, ...flags])
    expect(stdout).toMatch(/step \d+ is final: it stays even if a later step fails/)
    const cost = await support.costOf(at, () => upgrade(...asked))
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome, changed: report.changed }).toEqual({
      code: 4,
      outcome: 'partial',
      changed: true,
    })
    expect(report.components.node).not.toHaveProperty('rolledBack')
    expect(report.components.controllers).toHaveProperty('rolledBack', true)
    expect(report.problems.map((found) => found.code)).toContain('controllers-failed')
    expect(await support.containers(host)).toEqual([
      `${NAME} v3.20.0 running always`,
      'calico-node v2.6.12 running always',
      'calico-node-parked-RUN v2.6.5 exited no',
    ])
    expect(await overlaps(host)).toBe('')
    expect((await support.agent(host, 'rollback', ...flags)).report.outcome).toBe('rolled-back')
  })

  it('that do not heed a TERM are waited for', async () => {
    const { host } = at
    await runControllers(host, controllers('ignores-term'), { policy: 'unless-stopped' })
    const since = Date.now()
    const { report } = await upgrade('--controllers', controllers('v3.26.1'))
    expect(report.outcome).toBe('upgraded')
    expect(report.steps.find(({ kind }) => kind === 'swap-controllers')?.ms).toBeGreaterThan(9_000)
    expect([await mostAtOnce(host, since), await overlaps(host)]).toEqual([1, ''])
    expect((await support.containers(host))[0]).toBe(`${NAME} v3.26.1 running unless-stopped`)
  })
})

describe('controllers that behave as the real ones do', () => {
  it('are not put back by a readiness of before, where their datastore is away', async () => {
    const { host } = at
    const etcd = support.lab.etcd('plain')
    await etcd.start()
    try {
      await runControllers(host, controllers('v3.15.5'), { env: [`ETCD_ENDPOINTS=${etcd.endpoint}`] })
      const up = await upgrade('--controllers', controllers('v3.17.6'))
      expect([up.code, up.report.outcome]).toEqual([0, 'upgraded'])
      // ready once more than it needs: then what it wrote is there for the next start
      const check = ['docker', 'exec', NAME, '/usr/bin/check-status', '-r']
      await until('its readiness', async () => (await host.run(check)).code === 0)
      await etcd.kill()
      const back = await support.agent(host, 'rollback', ...flags)
      expect([back.code, back.report.outcome]).toEqual([4, 'rolled-back'])
      expect(back.report.problems.map(({ code }) => code)).toContain('controllers-failed')
      // the one on trial ran until it had looked for its datastore for long enough
      expect(back.report.steps.find(({ kind }) => kind === 'swap-controllers')?.ms).toBeGreaterThan(10_000)
      expect(back.report.controllersDownMs).toBeGreaterThan(0)
      expect(back.report.controllersDownMs).toBeLessThan(25_000)
      expect((await support.containers(host))[0]).toMatch(`${NAME} v3.17.6`)
      expect(await overlaps(host)).toBe('')
    } finally {
      await etcd.kill()
    }
  })

  it('are held to no check that the old ones fail', async () => {
    const { host } = at
    await runControllers(host, controllers('v3.15.5'), { env: ['HEALTH_ENABLED=false'] })
    const { code, report } = await upgrade('--controllers', controllers('v3.17.6'))
    expect([code, report.outcome]).toEqual([0, 'upgraded'])
    const codes = report.problems.map(({ code: found }) => found)
    expect(codes).toEqual(['controllers-user-changes', 'health-check-failing'])
  })

  it('show that their image has another user, and are not swapped for one that cannot read its kubeconfig', async () => {
    const { host } = at
    await host.ok([
      'sh',
      '-c',
      'mkdir -p /etc/kubernetes && install -m 600 /dev/null /etc/kubernetes/kubeconfig',
    ])
    const mounts = ['/etc/kubernetes/kubeconfig:/etc/kubeconfig:ro']
    await runControllers(host, controllers('v3.15.5'), { mounts })
    const asked = ['--controllers', controllers('v3.17.6')]
    // what the image sets is known once it is here
    expect((await support.agent(host, 'plan', ...asked, ...flags)).code).toBe(0)
    const pulled = await upgrade(...asked)
    support.expectRefused(pulled, 'controllers-unreadable')
    expect(pulled.report.problems.map(({ code }) => code)).toContain('controllers-unreadable')
    expect((await support.containers(host))[0]).toBe(`${NAME} v3.15.5 running always`)

    await host.ok(['chown', '999', '/etc/kubernetes/kubeconfig'])
    const plan = await support.agent(host, 'plan', ...asked, ...flags)
    expect([plan.code, plan.report.problems.map(({ code }) => code)]).toEqual([
      0,
      ['controllers-user-changes'],
    ])
    expect(plan.report.diff.find(({ target }) => target === `container ${NAME}`)?.after).toContain(
      'User: 999',
    )
    expect((await upgrade(...asked)).report.outcome).toBe('upgraded')
  })
})

describe('what is asked of the controllers', () => {
  it('is refused where there are none, and left out by a release', async () => {
    const { host } = at
    support.expectRefused(await upgrade('--controllers', controllers('v3.26.1')), 'no-controllers')
    await support.configure(host, { release: 'v3.26.1', registry: support.lab.registry.address })
    const plan = await support.agent(host, 'plan', '--allow', 'datastore-migration', '--allow', 'dropped-env')
    expect(Object.keys(plan.report.components)).toEqual(['node'])
  })

  it('is refused where the new ones would not find the API', async () => {
    const { host } = at
    const old = controllers('v0.7.0').replace('kube-controllers', 'kube-policy-controller')
    await runControllers(host, old, { env: ['KUBECONFIG=', 'K8S_API=https://10.0.0.1:6443'] })
    const refused = await upgrade('--controllers', controllers('v1.0.5'))
    support.expectRefused(refused, 'controllers-env')
    expect(refused.report.problems[0]?.fix).toContain('https://10.0.0.1:6443')
    expect((await support.containers(host))[0]).toBe(`${NAME} v0.7.0 running always`)
  })
})

describe('the watch for two at once', () => {
  it('sees two that are started by hand', async () => {
    const { host } = at
    const since = Date.now()
    await runControllers(host, controllers('v3.20.0'))
    await runControllers(host, controllers('v3.26.1'), { name: 'second' })
    await until('one to see the other', async () => (await overlaps(host)) !== '')
    expect(await mostAtOnce(host, since)).toBe(2)
    expect(await overlaps(host)).toContain('found another one at work')
  })
})
