import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { restartTimeline, session, upView } from '../fakes/bird.ts'
import { brokenBirds } from './broken-birds.ts'
import { FakeHost, type HostOptions } from './fake-host.ts'
import { UnitHost } from './unit-host.ts'

const SWAP = /^docker (kill|start)|^(close|open) /

/** What happened to the containers and to the neighbors' dialling. */
async function swapOf(options: HostOptions = {}) {
  const host = await FakeHost.create(options)
  const outcome = await host.run()
  expect(await host.flaws(outcome)).toEqual([])
  const swap = host.ops
    .filter((op) => SWAP.test(op))
    .map((op) => op.replace(/calico-node-next-\S+/, 'next').replace('calico-node', 'old'))
  return { host, outcome, swap }
}

const CLOSED = ['close 192.0.2.2', 'close 192.0.2.3']
const OPENED = ['open 192.0.2.2', 'open 192.0.2.3']

describe('neighbors that dial as well', () => {
  it('are kept out from the death of the old BIRD to the end of the window', async () => {
    const { outcome, swap } = await swapOf()
    expect(outcome).toBe('upgraded')
    expect(swap.toSorted()).toEqual(['docker kill old', 'docker start next', ...CLOSED, ...OPENED].toSorted())
    expect(swap[0]).toBe('docker kill old')
    expect(swap.slice(-2)).toEqual(OPENED)
  })

  it('are kept out again on the way back', async () => {
    const { outcome, swap } = await swapOf(brokenBirds['a container that exits at once'])
    expect(outcome).toBe('rolled-back')
    expect(swap.slice(-2)).toEqual(OPENED)
    expect(swap.filter((op) => op.startsWith('close'))).toEqual(CLOSED)
  })

  it('are let in where they do not come in time', async () => {
    const { host, outcome, swap } = await swapOf(brokenBirds['a BIRD whose sessions never come'])
    expect(outcome).toBe('rolled-back')
    expect(swap.filter((op) => op.startsWith('open'))).toEqual([...OPENED, ...OPENED])
    expect(host.events.filter(({ type }) => type === 'let-in')).toEqual([
      { type: 'let-in', neighbors: ['192.0.2.2', '192.0.2.3'] },
    ])
  })

  it('are let in by a later look where the first one fails, which is said once', async () => {
    const host = await FakeHost.create(brokenBirds['a BIRD whose sessions never come'])
    const open = host.dialGuard.open.bind(host.dialGuard)
    let failures = 2
    host.dialGuard.open = (addresses) => {
      if (addresses === undefined || failures-- <= 0) return open(addresses)
      return Promise.reject(new AgentError('dial-guard-unavailable', 'ip fails', { fix: 'ip rule del' }))
    }
    await host.run()
    const told = host.events.filter((event) => event.type === 'let-in' || event.type === 'problem')
    expect(told.map((event) => (event.type === 'problem' ? event.problem.code : event.type))).toEqual([
      'dial-guard-unavailable',
      'let-in',
    ])
  })

  it('are let in as soon as the new BIRD is seen to wait for them', async () => {
    const waits = { ...session(3), established: false, info: 'Passive', imported: 0 }
    const dials = { ...session(2), established: false, info: 'Connect', imported: 0 }
    const { host, outcome } = await swapOf({
      newBird: (instance) => [
        { at: 200, view: upView(instance, [dials, waits], true) },
        ...restartTimeline(instance, [session(2), session(3)]).slice(1),
      ],
    })
    expect(outcome).toBe('upgraded')
    expect(host.events.filter(({ type }) => type === 'let-in')).toEqual([
      { type: 'let-in', neighbors: ['192.0.2.3'] },
    ])
  })

  it('are kept out on where the agent died in the window, and are let in by the resume', async () => {
    const host = await FakeHost.create()
    // the start of the new container; see window-after-death.test.ts
    await host.run(undefined, { at: 16, before: true })
    expect([...host.dialGuard.closed]).toEqual(['192.0.2.2', '192.0.2.3'])
    expect(await host.resume()).toBe('upgraded')
    expect(await host.flaws('upgraded')).toEqual([])
    expect(host.ops.filter((op) => op.startsWith('close'))).toEqual(CLOSED)
  })

  it('are not cut off from an old BIRD that a boot has brought back', async () => {
    const host = await FakeHost.create()
    await host.run(undefined, { at: 16, before: true })
    host.powerCycle()
    host.ops.length = 0
    expect(await host.resume()).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
    expect(host.ops.filter((op) => op.startsWith('close'))).toEqual([])
  })

  it.each([
    ['upgraded', {}],
    // what was closed is still so when the old one is started again
    ['rolled-back', { newExitsAfter: 100 }],
  ])('are kept out while a unit restarts the container: %s', async (outcome, options) => {
    const host = await UnitHost.create(options)
    expect(await host.run()).toBe(outcome)
    expect(await host.flaws(outcome)).toEqual([])
    expect(host.dialGuard.ops).toEqual(['close 192.0.2.2', 'open 192.0.2.2'])
  })
})
