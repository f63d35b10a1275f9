import { describe, expect, it } from 'vitest'
import type { BirdView, SessionRow } from '../../agent/core/bird/view.ts'
import type { AgentEvent } from '../../agent/core/events.ts'
import type { Gate } from '../../agent/core/plan/plan.ts'
import type { Bird } from '../../agent/ports/bird.ts'
import { awaitRestored } from '../../agent/steps/gate/await-restored.ts'
import { watchTrial } from '../../agent/steps/gate/gate.ts'
import type { StepContext } from '../../agent/steps/step.ts'
import { deadSession, restartTimeline, session, type Timeline, upView } from '../fakes/bird.ts'
import type { FakeClock } from '../fakes/clock.ts'
import { onePeer, trialOf } from './trial-host.ts'

const back = restartTimeline('new', [session(2)])
const of = (now: Timeline, old = onePeer) => ({ 4: { old, now } })
const connecting = session(2, { established: false, info: 'Connect', imported: 0 })
const readiness = { kind: 'http' as const, url: 'http://localhost:9099/readiness' }

describe('the health after the recovery', () => {
  it.each([200, 204, 299])('is good where Felix answers %d', async (status) => {
    const { trial, context } = await trialOf(of(back), 0, { health: [readiness] })
    context.probe = { ...context.probe, httpStatus: () => Promise.resolve(status) }
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true })
  })

  it.each([503, 199, 302, null])('is bad after a minute where Felix answers %s', async (status) => {
    const { trial, context, clock } = await trialOf(of(back), 0, { health: [readiness] })
    context.probe = { ...context.probe, httpStatus: () => Promise.resolve(status) }
    const result = await watchTrial(trial, context)
    expect(result).toMatchObject({ passed: false, reason: 'unhealthy' })
    expect(result.passed ? '' : result.why).toBe('it recovered, then was unhealthy for 60 s')
    expect(clock.now()).toBeGreaterThan(64_000)
    expect(clock.now()).toBeLessThan(65_000)
  })

  it('may fail for a moment past the budget', async () => {
    const { trial, context, clock } = await trialOf(of(back), 0, { health: [readiness], settleMs: 120_000 })
    const status = (): number => (clock.now() > 80_000 && clock.now() < 80_600 ? 503 : 204)
    context.probe = { ...context.probe, httpStatus: () => Promise.resolve(status()) }
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true })
    expect(clock.now()).toBeGreaterThan(200_000)
  })

  it('that is never told holds nothing up but itself', async () => {
    const { trial, context, clock } = await trialOf(of(restartTimeline('new', [connecting])), 0, {
      health: [readiness],
    })
    context.probe = { ...context.probe, httpStatus: () => new Promise<never>(() => undefined) }
    expect(await watchTrial(trial, context)).toMatchObject({ passed: false, reason: 'out-of-time' })
    expect(clock.now()).toBeLessThan(71_000)
  })

  it('that throws is a failure with its reason, and no end of the run', async () => {
    const { trial, context } = await trialOf(of(back), 0, { health: [readiness] })
    context.probe = { ...context.probe, httpStatus: () => Promise.reject(new TypeError('Invalid URL')) }
    const result = await watchTrial(trial, context)
    expect(result.unmet).toEqual([`${readiness.url} does not answer: Invalid URL`])
  })
})

describe('Felix', () => {
  const felixAt = (pid: number) => [{ pid, args: 'calico-felix' }]

  it('that stays the same process is kept', async () => {
    const { trial, context, docker } = await trialOf(of(back), 0, { felix: true })
    docker.onProcesses = () => felixAt(11)
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true })
  })

  it('that runit starts again every two seconds is given up', async () => {
    const { trial, context, clock, docker } = await trialOf(of(back), 0, { felix: true, settleMs: 10_000 })
    docker.onProcesses = () => felixAt(Math.floor(clock.now() / 2_000))
    expect(await watchTrial(trial, context)).toMatchObject({ passed: false, reason: 'felix-restarted' })
    expect(clock.now()).toBeLessThan(15_000)
  })

  it('that restarts once, for its config, is kept when it has settled', async () => {
    const { trial, context, clock, docker } = await trialOf(of(back), 0, { felix: true, settleMs: 10_000 })
    docker.onProcesses = () => felixAt(clock.now() < 9_000 ? 11 : 12)
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true })
    expect(clock.now()).toBeGreaterThan(19_000)
  })

  it('that does not run where the old node had one is not healthy', async () => {
    const { trial, context } = await trialOf(of(back), 0, { felix: true })
    const result = await watchTrial(trial, context)
    expect(result).toMatchObject({ passed: false, reason: 'unhealthy', unmet: ['Felix is not running'] })
  })
})

describe('a BIRD that dies in its recovery and is back before the next look', () => {
  const fallen = [
    { at: 200, view: upView('one', [session(2)], true) },
    { at: 4_030, view: { state: 'down' as const } },
    { at: 4_060, view: upView('two', [session(2)], true) },
    { at: 6_000, view: upView('two', [session(2)]) },
  ]

  it('is seen by its socket, and not kept', async () => {
    const { trial, context, clock } = await trialOf(of(fallen))
    expect(await watchTrial(trial, context)).toMatchObject({ passed: false, reason: 'bird-restarted' })
    expect(clock.now()).toBeGreaterThan(7_000)
  })
})

describe('a session', () => {
  it('with fewer routes is kept, and that is said', async () => {
    const old = upView('old', [session(2, { imported: 500 })])
    const { trial, context } = await trialOf(of(restartTimeline('new', [session(2, { imported: 499 })]), old))
    const result = await watchTrial(trial, context)
    expect(result).toMatchObject({ passed: true, problems: [{ code: 'routes-fewer', severity: 'warning' }] })
  })

  it('without any of its routes is not back', async () => {
    const { trial, context } = await trialOf(of(restartTimeline('new', [session(2, { imported: 0 })])))
    expect(await watchTrial(trial, context)).toMatchObject({
      passed: false,
      reason: 'out-of-time',
      unmet: ['session Mesh_192_0_2_2 has none of its 1 route'],
    })
  })

  it('that came, went and came again is told', async () => {
    const { trial, context } = await trialOf(
      of([
        { at: 200, view: upView('new', [connecting], true) },
        { at: 3_000, view: upView('new', [session(2)], true) },
        { at: 3_400, view: upView('new', [connecting], true) },
        { at: 8_000, view: upView('new', [session(2)], true) },
        { at: 8_200, view: upView('new', [session(2)]) },
      ]),
    )
    const result = await watchTrial(trial, context)
    expect(result).toMatchObject({ passed: true, problems: [{ code: 'session-flapped' }] })
    expect(result.passed && result.problems[0]?.message).toMatch(/up to 4\.\d s/)
  })

  it.each([
    ['accepts', false],
    ['refuses', false],
    ['silent', false],
    ['unreachable', true],
  ] as const)('of a peer that is missing and %s is excused: %s', async (answer, passed) => {
    const other = session(3, { established: false, info: 'Active', imported: 0 })
    const old = upView('old', [session(2), session(3)])
    const { trial, context } = await trialOf(of([{ at: 200, view: upView('new', [session(2), other]) }], old))
    context.probe = { ...context.probe, reach: () => Promise.resolve(answer) }
    const result = await watchTrial(trial, context)
    expect(result.passed).toBe(passed)
    expect(result.passed ? result.problems.map(({ code }) => code) : result.reason).toEqual(
      passed ? ['peer-lost'] : 'out-of-time',
    )
  })
})

describe('two daemons', () => {
  it('are up before their sessions are back, whichever comes first', async () => {
    const marks: string[] = []
    const now = restartTimeline('new', [session(2)], { upMs: 2_000 })
    const { trial, context } = await trialOf({ 4: { old: onePeer, now: back }, 6: { old: onePeer, now } })
    context.emit = (event: AgentEvent) => {
      if (event.type === 'mark') marks.push(event.mark)
    }
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true })
    expect(marks).toEqual(['bird-up', 'sessions-back', 'recovered'])
  })

  it('are both given the time to send End-of-RIB, though one has not started yet', async () => {
    const now = restartTimeline('new', [session(2)], { recoveredMs: 69_900 })
    const { trial, context, clock } = await trialOf({
      4: { old: onePeer, now },
      6: { old: onePeer, now: [] },
    })
    expect(await watchTrial(trial, context)).toMatchObject({ passed: false, reason: 'out-of-time' })
    expect(clock.now()).toBeGreaterThanOrEqual(70_900)
  })

  it('are both looked at anew before a verdict that waited for the slow one', async () => {
    const now = [
      { at: 200, view: upView('new', [connecting], true) },
      { at: 70_300, view: upView('new', [session(2)], true) },
      { at: 75_000, view: upView('new', [session(2)]) },
    ]
    const { trial, context, clock } = await trialOf({
      4: { old: onePeer, now },
      6: { old: onePeer, now: [] },
    })
    slowly(context, clock)
    expect(await watchTrial(trial, context)).toMatchObject({ passed: false })
    // a KILL between 70.3 s and 75 s would cost the routes
    expect(clock.now()).toBeGreaterThan(76_000)
  })
})

/** bird6 accepts, and takes its time not to answer. */
function slowly(context: StepContext, clock: FakeClock): void {
  const { bird } = context
  const look = bird.look.bind(bird) as (...args: Parameters<Bird['look']>) => Promise<BirdView<SessionRow>>
  bird.look = (async (...args: Parameters<Bird['look']>) => {
    if (args[0].family === 4) return await look(...args)
    await clock.sleep(2_000)
    return { state: 'silent' }
  }) as Bird['look']
}

describe("Docker's health check", () => {
  const after = (clock: FakeClock, ms: number, first: string, then: string) => () => ({
    Status: clock.now() < ms ? first : then,
  })

  async function trialWith(gate: Partial<Gate>, health: (clock: FakeClock) => () => { Status: string }) {
    const it = await trialOf(of(back), 0, gate)
    const { docker, clock } = it
    const inspect = docker.inspectContainer.bind(docker)
    docker.inspectContainer = async (id) => {
      const found = await inspect(id)
      return found && { ...found, State: { ...found.State, Health: health(clock)() } }
    }
    return it
  }

  it('is waited for as long as it starts, past a minute', async () => {
    const { trial, context, clock } = await trialWith({ dockerHealth: true }, (now) =>
      after(now, 120_000, 'starting', 'healthy'),
    )
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true })
    expect(clock.now()).toBeGreaterThan(120_000)
  })

  it('that fails for a minute is a failure', async () => {
    const { trial, context } = await trialWith({ dockerHealth: true }, (now) =>
      after(now, 0, 'unhealthy', 'unhealthy'),
    )
    expect(await watchTrial(trial, context)).toMatchObject({
      passed: false,
      unmet: ['Docker reports it as unhealthy'],
    })
  })

  it('is none where its status is empty, as Podman has it', async () => {
    const { trial, context } = await trialWith({ dockerHealth: true }, (now) => after(now, 0, '', ''))
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true })
  })

  it('never holds the way back of the old node', async () => {
    const { trial, context } = await trialWith({ dockerHealth: true }, (now) =>
      after(now, 0, 'unhealthy', 'unhealthy'),
    )
    expect(await awaitRestored(trial, context)).toMatchObject({ problems: [] })
  })

  it('that the old node did not pass is no gate', async () => {
    const { trial, context } = await trialWith({}, (now) => after(now, 0, 'unhealthy', 'unhealthy'))
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true })
  })
})

describe('a peer that was released', () => {
  const dead = deadSession(9)
  const old = upView('old', [session(2), dead])
  const now = restartTimeline('new', [session(2), dead])

  it('is enabled again before the end, however short the time to settle', async () => {
    const { trial, context, bird } = await trialOf(of(now, old), 0, { settleMs: 0 })
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true, problems: [] })
    expect(bird.ops).toEqual([`disable ${dead.name}`, `enable ${dead.name}`])
  })

  it('and that BIRD does not enable again is told', async () => {
    const { trial, context } = await trialOf(of(now, old), 0, { settleMs: 0 })
    context.bird.enable = () => Promise.reject(new Error('busy'))
    expect(await watchTrial(trial, context)).toMatchObject({
      passed: true,
      problems: [{ code: 'peer-left-disabled', severity: 'warning' }],
    })
  })
})

describe('routes that cannot be read', () => {
  it('are asked for no more often than anything else', async () => {
    const { trial, context } = await trialOf(of(back))
    const { bird } = context
    const look = bird.look.bind(bird) as (...args: Parameters<Bird['look']>) => Promise<BirdView<SessionRow>>
    let asked = 0
    bird.look = ((...args: Parameters<Bird['look']>) => {
      if (args[2] === 'rows') return look(...args)
      asked += 1
      return Promise.reject(new Error('no descriptors'))
    }) as Bird['look']
    expect(await watchTrial(trial, context)).toMatchObject({ passed: false })
    expect(asked).toBeLessThan(1_000)
  })
})
