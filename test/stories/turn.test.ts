import { beforeEach, describe, expect, it } from 'vitest'
import { AgentError, ExitCode } from '../../agent/core/errors.ts'
import type { Turn, TurnEnd } from '../../agent/core/fleet.ts'
import type { Plan, PlannedStep } from '../../agent/core/plan/plan.ts'
import { RunStore } from '../../agent/journal/store.ts'
import type { Fleet } from '../../agent/ports/fleet.ts'
import type { App } from '../../agent/stories/app.ts'
import { resume } from '../../agent/stories/resume.ts'
import { rollback } from '../../agent/stories/rollback/rollback.ts'
import { fetchAhead } from '../../agent/stories/turn.ts'
import { upgrade } from '../../agent/stories/upgrade.ts'
import { wanted as anyHost } from '../core/observed.ts'
import { FakeHost } from '../engine/fake-host.ts'
import { RUN } from '../engine/killable-run.ts'
import { awayError } from '../fakes/kubernetes.ts'
import { MemoryFiles } from '../journal/memory-files.ts'
import { everyKind, plan, recordsOf, textOf } from '../journal/sample.ts'
import { appOn } from './app-on.ts'

const wanted = { ...anyHost, windowMs: 20_000, settleMs: 1_000 }

/** Whose turn it is, as the tests want it. */
class FakeFleet implements Fleet {
  readonly ops: string[] = []
  heldElsewhere = false
  away = false
  onTake: () => void = () => undefined
  isHeld = false

  held(): Promise<{ namespace: string; name: string } | null> {
    return Promise.resolve(this.isHeld ? { namespace: 'calico-agent', name: 'turns' } : null)
  }

  take({ target }: Turn): Promise<void> {
    this.onTake()
    if (this.heldElsewhere) {
      const held = new AgentError('lease-held', 'cannot start: host-2 is at work', {
        fix: 'wait',
        exitCode: ExitCode.deferred,
      })
      return Promise.reject(held)
    }
    this.isHeld = true
    this.ops.push(`take ${target}`)
    return Promise.resolve()
  }

  giveBack(end: TurnEnd): Promise<void> {
    if (this.away) return Promise.reject(awayError())
    this.isHeld = false
    this.ops.push(`give back, ${end === 'untouched' ? end : said(end.reason)}`)
    return Promise.resolve()
  }
}

const said = (reason: string | null): string => (reason === null ? 'done' : `failed: ${reason}`)

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
      await expect(upgrade(app, wanted)).rejects.toMatchObject({ code: 'lease-held', exitCode: 75 })
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
    expect(report.problems.map(({ code }) => code)).toContain('lease-pending')
    expect(await resume(app, wanted)).toMatchObject({ outcome: 'deferred' })
    fleet.away = false
    expect(await resume(app, wanted)).toMatchObject({ outcome: 'unchanged' })
    expect(fleet.ops.at(-1)).toBe('give back, done')
  })

  it('gives back a turn that it has without having read so', async () => {
    const take = fleet.take.bind(fleet)
    fleet.take = async (turn) => {
      await take(turn)
      throw awayError()
    }
    await expect(upgrade(app, wanted)).rejects.toMatchObject({ code: 'kubernetes-unreachable' })
    expect(fleet.isHeld).toBe(false)
  })

  it('says that it may still have it where the engine does not take it back either', async () => {
    fleet.take = () => {
      fleet.away = true
      return Promise.reject(awayError())
    }
    const error = await upgrade(app, wanted).catch((thrown: unknown) => thrown)
    const problems = error instanceof AgentError ? error.asProblems() : []
    expect(problems.map(({ code }) => code)).toEqual(['kubernetes-unreachable', 'lease-pending'])
  })

  it('does not wait to go back', async () => {
    await upgrade(app, wanted)
    fleet.heldElsewhere = true
    expect(await rollback(app, wanted, undefined)).toMatchObject({ outcome: 'rolled-back' })
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
    fleet.isHeld = true
  })

  it('keeps the turn, and says so, with what lets the other hosts go on', async () => {
    // nothing that a later try would do
    expect(await resume(app, wanted)).toMatchObject({
      outcome: 'unchanged',
      problems: [
        {
          code: 'lease-kept',
          severity: 'warning',
          message: expect.stringContaining('Lease calico-agent/turns') as string,
          fix: expect.stringContaining('kubectl -n calico-agent delete lease turns') as string,
        },
      ],
    })
    expect(fleet.ops).toEqual([])
  })

  it('has nothing to say where the Lease was deleted', async () => {
    fleet.isHeld = false
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
    expect(report.problems.map(({ code }) => code)).toContain('lease-kept')
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

  it('says nothing about a target that is asked for meanwhile', async () => {
    const next = { ...wanted, node: { ...wanted.node, image: 'calico/node:v3.0.0' } }
    expect(await resume(await interrupted(), next)).toMatchObject({ outcome: 'upgraded' })
    expect(fleet.ops.at(-1)).toBe('give back, untouched')
  })

  it('goes back where its turn was taken away, and says nothing about its target', async () => {
    const resumed = await interrupted()
    fleet.heldElsewhere = true
    expect(await resume(resumed, wanted)).toMatchObject({ outcome: 'rolled-back' })
    expect(fleet.ops).toEqual(['give back, untouched'])
  })

  it('does not wait for an engine that is away', async () => {
    const resumed = await interrupted()
    fleet.take = () => Promise.reject(awayError())
    expect(await resume(resumed, wanted)).toMatchObject({ outcome: 'upgraded' })
  })
})
