import { beforeEach, describe, expect, it } from 'vitest'
import { createLease } from '../../agent/adapters/fleet/lease.ts'
import { AgentError } from '../../agent/core/errors.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeKubernetes } from '../fakes/kubernetes.ts'

const name = { namespace: 'calico-agent', name: 'calico-agent' }
const turn = { run: 'run-1', target: 'calico/node:v2' }
const done = { ...turn, reason: null }
const failed = { ...turn, reason: 'no session came back' }

let cluster: FakeKubernetes
beforeEach(() => {
  cluster = new FakeKubernetes('host-1')
})

function fleetOf(host: string) {
  const clock = new FakeClock()
  return createLease(name, { kubernetes: cluster, clock, host: () => Promise.resolve(host) })
}

const refusal = (work: Promise<void>): Promise<unknown> =>
  work.then(
    () => 'taken',
    (error: unknown) => (error instanceof AgentError ? [error.code, error.exitCode] : error),
  )

describe('the Lease', () => {
  it('is made by the first host that asks, and another one waits until it is given back', async () => {
    await fleetOf('host-1').take(turn)
    expect(cluster.lease).toMatchObject({
      metadata: { name: 'calico-agent', annotations: { 'calico-agent/run': 'run-1' } },
      spec: { holderIdentity: 'host-1', acquireTime: expect.stringMatching(/\.\d{6}Z$/) as string },
    })
    expect(await refusal(fleetOf('host-2').take(turn))).toEqual(['lease-held', 75])
    await fleetOf('host-1').giveBack(done)
    expect(cluster.lease?.spec).toEqual({})
    await fleetOf('host-2').take(turn)
    expect(cluster.lease?.spec?.holderIdentity).toBe('host-2')
  })

  it('names its holder, its run, since when, and what takes it away', async () => {
    await fleetOf('host-1').take(turn)
    await expect(fleetOf('host-2').take(turn)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^cannot start: host-1 has held Lease calico-agent\/calico-agent, for run run-1, since \S+Z$/,
      ) as string,
      fix: expect.stringContaining('kubectl -n calico-agent delete lease calico-agent') as string,
    })
  })

  it('is known to its holder', async () => {
    expect(await fleetOf('host-1').held()).toBeNull()
    await fleetOf('host-1').take(turn)
    expect(await fleetOf('host-1').held()).toEqual(name)
    expect(await fleetOf('host-2').held()).toBeNull()
  })

  it('is taken again by the host that has it, as after a death', async () => {
    await fleetOf('host-1').take(turn)
    await fleetOf('host-1').take({ ...turn, run: 'run-2' })
    expect(cluster.lease?.metadata.annotations?.['calico-agent/run']).toBe('run-2')
  })

  it('is given back by nobody but its holder', async () => {
    await fleetOf('host-1').giveBack(done)
    expect(cluster.lease).toBeNull()
    await fleetOf('host-1').take(turn)
    await fleetOf('host-2').giveBack(done)
    expect(cluster.lease?.spec?.holderIdentity).toBe('host-1')
  })

  it.each([
    ['made', false],
    ['taken', true],
  ])('that another host has %s in the same moment stays with it', async (_, isThere) => {
    if (isThere) {
      await fleetOf('host-1').take(turn)
      await fleetOf('host-1').giveBack(done)
    }
    cluster.beforePatch = () => {
      cluster.beforePatch = null
      const version = String(Number(cluster.lease?.metadata.resourceVersion ?? 1) + 1)
      cluster.lease = {
        metadata: { ...name, resourceVersion: version },
        spec: { holderIdentity: 'host-2' },
      }
    }
    expect(await refusal(fleetOf('host-1').take(turn))).toEqual(['lease-held', 75])
  })
})

describe('a target that failed on one host', () => {
  beforeEach(async () => {
    await fleetOf('host-1').take(turn)
    await fleetOf('host-1').giveBack(failed)
  })

  it('keeps every other host from it, and not the host itself', async () => {
    await expect(fleetOf('host-2').take({ ...turn, run: 'run-2' })).rejects.toMatchObject({
      code: 'fleet-halted',
      exitCode: 75,
      message: 'cannot start: host-1 failed with calico/node:v2 in run run-1: no session came back',
    })
    await fleetOf('host-1').take(turn)
  })

  it('keeps nobody from another one, whose success says nothing about it', async () => {
    const other = fleetOf('host-2')
    const next = { run: 'run-2', target: 'calico/node:v3' }
    await other.take(next)
    await other.giveBack({ ...next, reason: null })
    expect(await refusal(other.take(turn))).toEqual(['fleet-halted', 75])
  })

  it('is forgotten when a run of the host itself has succeeded with it, and not an earlier one', async () => {
    const [one, other] = [fleetOf('host-1'), fleetOf('host-2')]
    await one.take({ ...turn, run: 'run-2' })
    await one.giveBack(done)
    expect(await refusal(other.take(turn))).toEqual(['fleet-halted', 75])
    await one.take({ ...turn, run: 'run-2' })
    await one.giveBack({ ...done, run: 'run-2' })
    await other.take(turn)
  })
})
