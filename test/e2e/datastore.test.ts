// calico/node waits for its datastore at each start, and starts no BIRD before: it must be there before the KILL.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { quickly } from './background.ts'
import { expectRefusal, type Refusal, snapshot } from './refusal.ts'
import * as support from './support.ts'
import { MOMENTS, UPGRADED, upgradeUntil } from './under-way.ts'

const plain = support.lab.etcd('plain')
const tls = support.lab.etcd('tls')

const AWAY: Refusal = {
  code: 3,
  problem: 'datastore-unreachable',
  says: `etcd does not answer (${plain.endpoint}: connection refused)`,
  fix: `curl -k ${plain.endpoint}/health`,
}

let at: support.World

/** Both hosts have their nodes in it; it must be there for them to start. */
async function worldWith(endpoints: string): Promise<void> {
  await Promise.all([plain.start(), tls.start()])
  at = await support.world({ env: { ETCD_ENDPOINTS: endpoints } })
  await support.configure(at.host, { window: 60, settle: 2 })
}

afterAll(async () => {
  await support.world()
  await Promise.all([plain.kill(), tls.kill()])
})

const upgrade = (...args: string[]) =>
  support.agent(at.host, 'upgrade', '--node', support.image('v2.6.12'), ...args)

describe('an etcd that is away', () => {
  beforeEach(async () => {
    await worldWith(plain.endpoint)
  })

  it('is a reason to leave the node alone, unless that is allowed', async () => {
    const { host } = at
    const before = await snapshot(host)
    const cost = await support.costOf(at, async () => {
      await plain.kill()
      return await upgrade()
    })
    support.expectNoCost(cost)
    expectRefusal(cost.result, AWAY)
    expect(await snapshot(host)).toEqual(before)

    expectRefusal(await support.agent(host, 'plan', '--node', support.image('v2.6.12')), AWAY)
    const doctor = await host.run(['agent', 'doctor'])
    expect([doctor.code, doctor.stdout]).toEqual([
      3,
      expect.stringMatching(/^error .+\[datastore-unreachable\]$/m),
    ])

    const allowed = await support.agent(
      host,
      'plan',
      ...['--node', support.image('v2.6.12'), '--allow', 'datastore-unreachable'],
    )
    const told = allowed.report.problems.map(({ code, severity }) => `${severity} ${code}`)
    expect([allowed.code, told]).toEqual([0, ['warning datastore-unreachable']])
    expect(await snapshot(host)).toEqual(before)
  })

  it('would leave the host without BIRD: the control', async () => {
    const { host, mesh } = at
    await plain.kill()
    await host.ok(['docker', 'kill', 'calico-node'])
    await host.ok(['docker', 'start', 'calico-node'])
    // BIRD is up after a second otherwise
    await sleep(8_000)
    expect((await support.containers(host))[0]).toBe('calico-node v2.6.5 running always')
    expect((await host.run(['docker', 'exec', 'calico-node', 'pidof', 'bird'])).code).not.toBe(0)
    await plain.start()
    await mesh.untilSettled()
  })

  it('is seen right before the KILL where it goes away in the pull', async () => {
    const { host } = at
    const before = await support.nodeId(host)
    const cost = await support.costOf(at, async () => {
      // 300 MB: they take longer to come and be unpacked than etcd takes to go
      const run = await upgradeUntil(host, MOMENTS.pullBegins, await quickly(host), support.image('big'))
      await plain.kill()
      return await run.done
    })
    support.expectNoCost(cost)
    expectRefusal(cost.result, AWAY)
    await support.expectAsBefore(host, before)
  })
})

describe('an etcd with TLS that wants certificates', () => {
  it('answers, beside one that is away; and a rollback is held up by it as well', async () => {
    await worldWith(`${tls.endpoint},${tls.endpoint.replace(/\d+$/, '9')}`)
    const { host } = at
    const cost = await support.costOf(at, () => upgrade())
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    const told = cost.result.report.problems.map(({ code, severity }) => `${severity} ${code}`)
    expect(told).toEqual(['warning datastore-unreachable'])
    expect(await support.containers(host)).toEqual(UPGRADED)

    await tls.kill()
    const back = await support.agent(host, 'rollback')
    expectRefusal(back, {
      ...AWAY,
      says: `etcd does not answer (${tls.endpoint}: connection refused;`,
      fix: tls.endpoint,
    })
    expect(await support.containers(host)).toEqual(UPGRADED)
    await tls.start()
    expect(await support.agent(host, 'rollback')).toMatchObject({
      code: 0,
      report: { outcome: 'rolled-back' },
    })
  })
})
