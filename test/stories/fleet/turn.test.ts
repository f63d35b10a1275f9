import { beforeEach, describe, expect, it } from 'vitest'
import { AgentError } from '../../../agent/core/errors.ts'
import { waitEnded } from '../../../agent/core/fleet/wait-ended.ts'
import type { Plan, PlannedStep } from '../../../agent/core/plan/plan.ts'
import { RunStore } from '../../../agent/journal/store.ts'
import type { App } from '../../../agent/stories/app.ts'
import { fetchAhead } from '../../../agent/stories/fetch-ahead.ts'
import { resume } from '../../../agent/stories/resume.ts'
import { rollback } from '../../../agent/stories/rollback/rollback.ts'
import { upgrade } from '../../../agent/stories/upgrade.ts'
import { wanted as anyHost } from '../../core/observed.ts'
import { FakeHost } from '../../engine/fake-host.ts'
import { RUN } from '../../engine/killable-run.ts'
import { FakeFleet, fleetAway } from '../../fakes/fleet.ts'
import { MemoryFiles } from '../../journal/memory-files.ts'
import { everyKind, plan, recordsOf, textOf } from '../../journal/sample.ts'
import { appOn } from '../app-on.ts'

const wanted = { ...anyHost, windowMs: 20_000, settleMs: 1_000 }

let host: FakeHost
let fleet: FakeFleet
let app: App

async function begin(options: Parameters<typeof FakeHost.create>[0] = {}): Promise<void> {
  host = await FakeHost.create(options)
  fleet = new FakeFleet()
  app = appOn(host, { fleet })
}
beforeEach(() => begin())

const target = wanted.node.image ?? ''
const commands = async (): Promise<string[]> =>
  (await app.runs.history()).map(({ plan, outcome }) => `${plan.command} ${outcome ?? 'open'}`).reverse()

describe('an upgrade of one host among many', () => {
  it('fetches first, then takes the turn, and gives it back at its end', async () => {
    let atTurn: Promise<string[]> | undefined
    fleet.onTake = () => {
      atTurn = commands()
    }
    expect(await upgrade(app, wanted)).toMatchObject({ outcome: 'upgraded' })
    expect(fleet.ops).toEqual(['give back, untouched', `take ${target}`, 'give back, done'])
    expect(await atTurn).toEqual(['prefetch prefetched'])
    expect(await commands()).toEqual(['prefetch prefetched', 'upgrade upgraded'])
  })

  it('leaves no run behind while another host is at work, and fetches once', async () => {
    fleet.heldElsewhere = true
    for (let tries = 0; tries < 2; tries++)
      await expect(upgrade(app, wanted)).rejects.toMatchObject({ code: 'slot-held', exitCode: 75 })
    expect(await commands()).toEqual(['prefetch prefetched'])
    fleet.heldElsewhere = false
    expect(await upgrade(app, wanted)).toMatchObject({ outcome: 'upgraded' })
    expect(await commands()).toEqual(['prefetch prefetched', 'upgrade upgraded'])
  })

  it('fetches nothing anew that its plan pulls in any case', async () => {
    const pull = (image: string): PlannedStep => ({ kind: 'pull-image', component: 'node', args: { image } })
    const plan = (image: string): Plan => ({
      run: RUN,
      command: 'upgrade',
      components: {},
      steps: [pull(image)],
    })
    const there = (await host.docker.inspectContainer('calico-node'))?.Config.Image ?? ''
    expect(await fetchAhead(app, plan(there), [])).toBeNull()
    expect(await fetchAhead(app, plan(target), [])).toMatchObject({ outcome: 'prefetched' })
  })

  it('asks for no turn where nothing is to be moved', async () => {
    await upgrade(app, wanted)
    fleet.ops.length = 0
    fleet.heldElsewhere = true
    expect(await upgrade(app, wanted)).toMatchObject({ outcome: 'unchanged' })
  })

  it('looks at the host again when its turn has come', async () => {
    const before = await host.docker.inspectContainer('calico-node')
    fleet.onTake = () => void host.docker.removeContainer(before?.Id ?? '')
    expect(await upgrade(app, wanted)).toMatchObject({ outcome: 'refused' })
    expect(fleet.ops.at(-1)).toBe('give back, untouched')
  })

  it('keeps the others from a target that failed here', async () => {
    await begin({ newExitsAfter: 1_000 })
    expect(await upgrade(app, wanted)).toMatchObject({ outcome: 'rolled-back' })
    expect(fleet.ops.at(-1)).toMatch(/^give back, failed: cannot /)
  })

  it('gives the turn back later where the engine is away at the end', async () => {
    const take = fleet.take.bind(fleet)
    fleet.take = async (turn) => {
      await take(turn)
      fleet.away = true
    }
    const report = await upgrade(app, wanted)
    expect(report.outcome).toBe('upgraded')
    expect(report.problems.map(({ code }) => code)).toContain('slot-pending')
    expect(await resume(app, wanted)).toMatchObject({ outcome: 'deferred' })
    fleet.away = false
    expect(await resume(app, wanted)).toMatchObject({ outcome: 'unchanged' })
    expect(fleet.ops.at(-1)).toBe('give back, done')
  })

  it('gives back a turn that it has without having read so', async () => {
    const take = fleet.take.bind(fleet)
    fleet.take = async (turn) => {
      await take(turn)
      throw fleetAway()
    }
    await expect(upgrade(app, wanted)).rejects.toMatchObject({ code: 'fleet-unreachable' })
    expect(fleet.hasSlot).toBe(false)
  })

  it('says that it may still have it where the engine does not take it back either', async () => {
    fleet.take = () => {
      fleet.away = true
      return Promise.reject(fleetAway())
    }
    const error = await upgrade(app, wanted).catch((thrown: unknown) => thrown)
    const problems = error instanceof AgentError ? error.asProblems() : []
    expect(problems.map(({ code }) => code)).toEqual(['fleet-unreachable', 'slot-pending'])
  })

  it('does not wait to go back', async () => {
    await upgrade(app, wanted)
    fleet.heldElsewhere = true
    expect(await rollback(app, wanted, undefined)).toMatchObject({ outcome: 'rolled-back' })
  })
})

describe('an upgrade that waits for its slot', () => {
  const waiting = (more: Partial<App> = {}): { stop: AbortController; ops: string[] } => {
    const stop = new AbortController()
    const ops: string[] = []
    app = {
      ...app,
      wait: { signal: stop.signal, mayStart: () => Promise.resolve() },
      lock: (command) => Promise.resolve(void ops.push(`lock ${command}`)),
      unlock: () => void ops.push('unlock'),
      emit: (event) => {
        if (event.type === 'waiting') ops.push(event.reason?.code ?? 'goes on')
      },
      ...more,
    }
    return { stop, ops }
  }

  it('leaves the host to others meanwhile, and says what it waits for', async () => {
    const { ops } = waiting()
    fleet.heldElsewhere = true
    expect(await upgrade(app, wanted)).toMatchObject({ outcome: 'upgraded' })
    expect(ops).toEqual(['lock upgrade', 'unlock', 'slot-held', 'goes on', 'lock upgrade'])
    expect(fleet.ops).toEqual(['give back, untouched', `take ${target}`, 'give back, done'])
  })

  it('ends with the code for later when nobody waits any longer, and with what it waited for', async () => {
    const { stop } = waiting()
    fleet.heldElsewhere = true
    fleet.untilFree = new Promise(() => undefined)
    const ended = upgrade(app, wanted).catch((error: unknown) => error)
    await expect.poll(() => fleet.said?.state).toBe('waiting')
    stop.abort(waitEnded('no slot within 1s'))
    expect(await ended).toMatchObject({ code: 'slot-held', exitCode: 75 })
    expect(await commands()).toEqual(['prefetch prefetched'])
  })

  it('is cancelled by a signal', async () => {
    const stopped = new AbortController()
    waiting({
      signal: stopped.signal,
      wait: { signal: stopped.signal, mayStart: () => Promise.resolve() },
    })
    fleet.untilFree = new Promise(() => undefined)
    const ended = upgrade(app, wanted).catch((error: unknown) => error)
    await expect.poll(() => fleet.said?.state).toBe('waiting')
    stopped.abort(new AgentError('cancelled', 'stopped', { fix: 'none' }))
    expect(await ended).toMatchObject({ code: 'cancelled' })
  })

  it('gives the slot back where another agent is at work on the host by then', async () => {
    let locks = 0
    const locked = new AgentError('locked', 'cannot start: another agent', { fix: 'wait', exitCode: 75 })
    waiting({ lock: () => (++locks === 1 ? Promise.resolve() : Promise.reject(locked)) })
    await expect(upgrade(app, wanted)).rejects.toMatchObject({ code: 'locked' })
    expect(fleet.ops.at(-1)).toBe('drop')
    expect(await commands()).toEqual(['prefetch prefetched'])
  })
})

describe('what a host says to its fleet', () => {
  it('is that it is done, with its run and its window', async () => {
    await upgrade(app, wanted)
    expect(fleet.said).toMatchObject({
      state: 'done',
      target,
      run: expect.stringMatching(/^run-/) as string,
      reason: null,
      startedAt: expect.any(String) as string,
      window: { budgetMs: 20_000 },
    })
    const { said } = fleet
    // an hour later by config management
    await upgrade(app, wanted)
    expect(fleet.said).toEqual(said)
  })

  it('is why it went back', async () => {
    await begin({ newExitsAfter: 1_000 })
    await upgrade(app, wanted)
    expect(fleet.said).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^cannot /) as string })
  })

  it('is that it waits, and since when', async () => {
    fleet.heldElsewhere = true
    await expect(upgrade(app, wanted)).rejects.toMatchObject({ code: 'slot-held' })
    const { askedAt } = fleet.said ?? {}
    expect(fleet.said).toMatchObject({ state: 'waiting', reason: 'cannot start: host-2 is at work' })
    await host.clock.advance(60_000)
    await expect(upgrade(app, wanted)).rejects.toMatchObject({ code: 'slot-held' })
    expect(fleet.said?.askedAt).toBe(askedAt)
  })

  it('is that it was refused', async () => {
    const gone = await host.docker.inspectContainer('calico-node')
    await host.docker.removeContainer(gone?.Id ?? '')
    expect(await upgrade(app, wanted)).toMatchObject({ outcome: 'refused' })
    expect(fleet.said).toMatchObject({ state: 'refused', reason: expect.any(String) as string })
  })

  it('is that it was refused, also where an earlier run went to the same node', async () => {
    await upgrade(app, wanted)
    const gone = await host.docker.inspectContainer('calico-node')
    await host.docker.removeContainer(gone?.Id ?? '')
    expect(await upgrade(app, wanted)).toMatchObject({ outcome: 'refused' })
    expect(fleet.said).toMatchObject({ state: 'refused' })
  })

  it('is that an operator rolled it back', async () => {
    await upgrade(app, wanted)
    await rollback(app, wanted, undefined)
    expect(fleet.said).toMatchObject({ state: 'failed', reason: expect.stringContaining('rolled') as string })
  })
})

describe('a run that is stuck', () => {
  const asItIs = { ...wanted, node: { ...wanted.node, image: plan(RUN).components.node?.from ?? '' } }
  beforeEach(() => {
    const stuck = everyKind.map((entry) =>
      entry.type === 'finished' ? { ...entry, outcome: 'stuck' as const } : entry,
    )
    const files = new MemoryFiles()
    files.texts.set(`${RUN}.jsonl`, textOf(recordsOf(stuck)))
    app = { ...app, runs: new RunStore(files, host.clock) }
    fleet.hasSlot = true
  })

  it('keeps the turn, and says so, with what lets the other hosts go on', async () => {
    // nothing that a later try would do
    expect(await resume(app, wanted)).toMatchObject({
      outcome: 'unchanged',
      problems: [
        {
          code: 'slot-kept',
          severity: 'warning',
          message: `run ${RUN} is stuck, so host-1 keeps its slot of group default: the other hosts wait for it`,
          fix: expect.stringContaining('calico-agent fleet release host-1') as string,
        },
      ],
    })
    expect(fleet.ops).toEqual([])
  })

  it('has nothing to say where its slot was released', async () => {
    fleet.hasSlot = false
    expect(await resume(app, wanted)).toMatchObject({ outcome: 'unchanged', problems: [] })
  })

  it('gives the turn back once the host is found as asked', async () => {
    expect(await upgrade(app, asItIs)).toMatchObject({ outcome: 'unchanged' })
    expect(fleet.ops).toEqual(['give back, untouched'])
  })

  it('says so in its own report', async () => {
    await begin()
    const refused = new AgentError('docker-refused', 'cannot start', { fix: 'none' })
    host.docker.startContainer = () => Promise.reject(refused)
    const report = await upgrade(app, wanted)
    expect(report.outcome).toBe('stuck')
    expect(report.problems.map(({ code }) => code)).toContain('slot-kept')
  })
})

describe('an upgrade that was interrupted between two moves', () => {
  /** Dies when the node is swapped, and the plugins are not. */
  async function interrupted(): Promise<App> {
    await begin({ withPlugins: true })
    const moves: string[] = []
    host.agent.onMove = (_, what) => void moves.push(what)
    await host.run()
    await begin({ withPlugins: true })
    await host.run(undefined, { at: moves.indexOf('putInPlace'), before: true })
    const files = new MemoryFiles()
    files.texts.set(`${RUN}.jsonl`, host.agent.text)
    return { ...app, runs: new RunStore(files, host.clock) }
  }

  it('takes its turn again, goes on, and gives it back', async () => {
    const source = { kind: 'directory', path: '/srv' } as const
    const both = { ...wanted, cni: { ...wanted.cni, source } }
    expect(await resume(await interrupted(), both)).toMatchObject({ outcome: 'upgraded' })
    expect(fleet.ops).toEqual([expect.stringMatching(/^take /), 'give back, done'])
  })

  it('says what became of its own target, whatever is asked for meanwhile', async () => {
    const next = { ...wanted, node: { ...wanted.node, image: 'calico/node:v3.0.0' } }
    expect(await resume(await interrupted(), next)).toMatchObject({ outcome: 'upgraded' })
    expect(fleet.ops.at(-1)).toBe('give back, done')
  })

  it('goes back where its turn was taken away, and says nothing about its target', async () => {
    const resumed = await interrupted()
    fleet.heldElsewhere = true
    expect(await resume(resumed, wanted)).toMatchObject({ outcome: 'rolled-back' })
    expect(fleet.ops).toEqual(['give back, untouched'])
  })

  it('does not wait for an engine that is away', async () => {
    const resumed = await interrupted()
    fleet.take = () => Promise.reject(fleetAway())
    expect(await resume(resumed, wanted)).toMatchObject({ outcome: 'upgraded' })
  })
})
