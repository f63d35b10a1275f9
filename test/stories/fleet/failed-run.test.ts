import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Plan } from '../../../agent/core/plan/plan.ts'
import type { Outcome } from '../../../agent/core/report/report.ts'
import { askingNothing, type Wanted } from '../../../agent/core/wanted.ts'
import type { JournalEntry } from '../../../agent/journal/record.ts'
import { RunStore } from '../../../agent/journal/store.ts'
import type { Fleet } from '../../../agent/ports/fleet.ts'
import type { App } from '../../../agent/stories/app.ts'
import { resume, uncordonAlone } from '../../../agent/stories/resume.ts'
import { rollback } from '../../../agent/stories/rollback/rollback.ts'
import { upgrade } from '../../../agent/stories/upgrade.ts'
import { wanted as anyHost } from '../../core/observed.ts'
import { FakeHost } from '../../engine/fake-host.ts'
import { FakeFleet } from '../../fakes/fleet.ts'
import { MemoryStore } from '../../fakes/fleet-store.ts'
import { FleetLockServer } from '../../fleet/fleetlock-server.ts'
import { hostAt, hostOn } from '../../fleet/group-on.ts'
import { MemoryFiles } from '../../journal/memory-files.ts'
import { plan, problem, recordsOf, textOf } from '../../journal/sample.ts'
import { appOn } from '../app-on.ts'

const FIRST = { image: 'calico/node:v2.6.6', label: 'v2.6.6' }

const wanted: Wanted = { ...anyHost, windowMs: 20_000, settleMs: 1_000 }
const asking = (image: string): Wanted => ({ ...wanted, node: { ...wanted.node, image } })
const target = wanted.node.image ?? ''
/** A config that names no target: that was given on the command line. */
const config = askingNothing(wanted)

let host: FakeHost

/** The new image fails on this host. */
async function failing(fleet: Fleet): Promise<App> {
  host = await FakeHost.create({ newExitsAfter: 1_000, asked: FIRST })
  return appOn(host, { fleet })
}

describe('a failed run, where the engine was away at its end', () => {
  let store: MemoryStore
  let app: App
  const other = (named = target): Promise<void> =>
    hostOn(store, 'host-2').take({ run: 'run-of-host-2', target: named })

  beforeEach(async () => {
    store = new MemoryStore()
    app = await failing(hostOn(store, 'host-1'))
  })

  async function failWhileAway(asked: Wanted): Promise<void> {
    app.emit = (event) => {
      if (event.type === 'run' && event.steps.some(({ kind }) => kind === 'swap-container'))
        store.fault = () => 'before'
    }
    const report = await upgrade(app, asked)
    expect(report.outcome).toBe('rolled-back')
    expect(report.problems.map(({ code }) => code)).toContain('slot-pending')
    app.emit = () => undefined
  }

  const back = (): void => {
    store.fault = () => 'none'
  }

  it.each([
    ['the service', () => uncordonAlone(app)],
    ['calico-agent resume', () => resume(app, config)],
    ['calico-agent rollback', () => rollback(app, config, undefined)],
    ['an upgrade to another target', () => upgrade(app, asking(FIRST.image))],
  ])('keeps the others from its target when %s ends its turn', async (_, end) => {
    await failWhileAway(wanted)
    back()
    // nothing to roll back
    await end().catch(() => undefined)
    await expect(other()).rejects.toMatchObject({ code: 'fleet-halted' })
    await other('another target')
  })

  it('does so by the name that the others ask for, whatever of it this host needed', async () => {
    const controllers = {
      ...wanted.controllers,
      image: 'calico/kube-controllers:v1.0.3',
      onlyIfInstalled: true,
    }
    await failWhileAway({ ...wanted, controllers })
    back()
    await resume(app, config)
    await expect(other(`${target}, ${controllers.image}`)).rejects.toMatchObject({ code: 'fleet-halted' })
  })

  it('does so also after a rollback to what was there before', async () => {
    expect(await upgrade(app, asking(FIRST.image))).toMatchObject({ outcome: 'upgraded' })
    await failWhileAway(wanted)
    expect(await rollback(app, config, undefined)).toMatchObject({ outcome: 'rolled-back' })
    back()
    await resume(app, config)
    await expect(other()).rejects.toMatchObject({ code: 'fleet-halted' })
  })
})

it('a second run in a row that was interrupted keeps the others from what both went to', async () => {
  const files = new MemoryFiles()
  const cut = { ...problem, code: 'interrupted' }
  const node = { from: FIRST.image, to: target }
  const cni = { from: 'cni:v1', to: 'cni:v2' }
  const add = (run: string, order: number, components: Plan['components'], outcome: Outcome): void => {
    const entries: JournalEntry[] = [
      { type: 'run', order, agent: '0.2.0', plan: { ...plan(run), components }, problems: [] },
      { type: 'unwinding', problem: cut },
      { type: 'finished', outcome },
    ]
    files.texts.set(`${run}.jsonl`, textOf(recordsOf(entries)))
  }
  // the node was committed the first time
  add('20261122T141503Z-0001', 1, { node, cni }, 'partial')
  add('20261122T141503Z-0002', 2, { cni }, 'rolled-back')
  const fleet = new FakeFleet()
  host = await FakeHost.create()
  await resume(appOn(host, { fleet, runs: new RunStore(files, host.clock) }), config)
  expect(fleet.ops).toEqual([expect.stringMatching(/^give back, failed: .* interrupted 2 times in a row$/)])
})

describe('a failed run, with a FleetLock server', () => {
  let server: FleetLockServer
  let app: App
  const other = (): Promise<void> => hostAt(server.url, 'host-2').take({ run: 'run-of-host-2', target })

  beforeEach(async () => {
    server = await FleetLockServer.start(() => new MemoryStore())
    app = await failing(hostAt(server.url, 'host-1'))
    await upgrade(app, asking(FIRST.image))
    expect(await upgrade(app, wanted)).toMatchObject({ outcome: 'rolled-back' })
  })
  afterEach(() => {
    server.stop()
  })

  it.each([
    ['the service', () => uncordonAlone(app)],
    ['calico-agent resume', () => resume(app, config)],
    ['calico-agent rollback', () => rollback(app, config, undefined)],
  ])('keeps its slot when %s ends its turn', async (_, end) => {
    const { problems } = await end()
    expect(problems.map(({ code }) => code)).toContain('slot-kept')
    await expect(other()).rejects.toMatchObject({ code: 'slot-held' })
  })

  it('keeps its slot where another try ends before it has changed anything', async () => {
    const fleet = hostAt(server.url, 'host-1')
    const take = fleet.take.bind(fleet)
    fleet.take = async (turn) => {
      await take(turn)
      await host.docker.removeContainer((await host.docker.inspectContainer('calico-node'))?.Id ?? '')
    }
    const { outcome, problems } = await upgrade({ ...app, fleet }, wanted)
    expect(outcome).toBe('refused')
    expect(problems.map(({ code }) => code)).toContain('slot-kept')
    await expect(other()).rejects.toMatchObject({ code: 'slot-held' })
  })

  it('gives its slot back once the host is as asked', async () => {
    expect(await upgrade(app, asking(FIRST.image))).toMatchObject({ outcome: 'unchanged', problems: [] })
    await other()
  })
})
