import { describe, expect, it } from 'vitest'
import { brokenBirds } from './broken-birds.ts'
import { FakeHost } from './fake-host.ts'
import { HostedHost } from './hosted-host.ts'
import type { Death } from './moves.ts'

/** The moves of a run: 13 routes are held, 14 the kill, 15 the start, 16 "done" in the journal. */
const afterTheStart = [15, 16].map((at): Death => ({ at, before: false }))
const BUDGET_MS = 20_000

describe('the window of a run whose agent died after the kill', () => {
  it.each(afterTheStart)('counts from the kill, however late the resume: move $at', async (death) => {
    const host = await FakeHost.create()
    await host.run(undefined, death)
    host.clock.pass(9_000)
    expect(await host.resume()).toBe('upgraded')
    expect(host.agent.state()?.window?.usedMs).toBeGreaterThanOrEqual(9_000)
  })

  it.each(afterTheStart)('has its reserve for the way back: move $at', async (death) => {
    const host = await FakeHost.create(brokenBirds['a BIRD whose sessions never come'])
    await host.run(undefined, death)
    host.clock.pass(3_000)
    expect(await host.resume()).toBe('rolled-back')
    const gone = host.opTimes.get('docker kill calico-node') ?? Number.NaN
    const back = host.opTimes.get('docker start calico-node') ?? Number.NaN
    expect(back - gone).toBeLessThan(BUDGET_MS * (2 / 3) + 200)
  })

  it('counts from the kill after several deaths', async () => {
    const host = await FakeHost.create(brokenBirds['a BIRD whose sessions never come'])
    await host.run(undefined, { at: 16, before: false })
    for (let i = 0; i < 2; i++) {
      host.clock.pass(3_000)
      await host.resume({ at: 1, before: false })
    }
    host.clock.pass(3_000)
    expect(await host.resume()).toBe('rolled-back')
    const gone = host.opTimes.get('docker kill calico-node') ?? Number.NaN
    const back = host.opTimes.get('docker start calico-node') ?? Number.NaN
    expect(back - gone).toBeLessThan(BUDGET_MS * (2 / 3) + 200)
  })
})

it('the window of a DaemonSet’s pod counts from the kill, where none has come since', async () => {
  const host = await HostedHost.create()
  let removal = -1
  host.agent.onMove = (at, what) => {
    if (what === 'remove') removal = at
  }
  await host.run()
  const other = await HostedHost.create()
  other.kubelet.isAsleep = true
  await other.run({ at: removal, before: false })
  await other.clock.sleep(5_000)
  other.restartKubelet()
  expect(await other.resume()).toBe('upgraded')
  expect(other.agent.state()?.window?.usedMs).toBeGreaterThanOrEqual(5_000)
})
