import { describe, expect, it } from 'vitest'
import type { AgentEvent } from '../../agent/core/events.ts'
import { watchTrial } from '../../agent/steps/gate.ts'
import { awaitRestored } from '../../agent/steps/restored.ts'
import { restartTimeline, session, type Timeline, upView } from '../fakes/bird.ts'
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
    expect(result.passed ? '' : result.why).toBe('it recovered and then was not healthy for 60 s')
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
    expect(result.unmet).toEqual([`${readiness.url} cannot be asked: Invalid URL`])
  })
})

describe('the health that Docker tells', () => {
  async function withHealth(status: string) {
    const host = await trialOf(of(back))
    const inspect = host.docker.inspectContainer.bind(host.docker)
    host.docker.inspectContainer = async (id) => {
      const found = await inspect(id)
      return found && { ...found, State: { ...found.State, Health: { Status: status } } }
    }
    return host
  }

  it.each(['healthy', '', 'none'])('is good, or none: %j', async (status) => {
    const { trial, context } = await withHealth(status)
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true })
  })

  it('is a gate for the new node, and none for the old one on its way back', async () => {
    const { trial, context } = await withHealth('unhealthy')
    expect(await watchTrial(trial, context)).toMatchObject({ passed: false, reason: 'unhealthy' })
    const again = await withHealth('unhealthy')
    expect(await awaitRestored(again.trial, again.context)).toMatchObject({ problems: [] })
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
    expect(result).toMatchObject({ passed: false, reason: 'unhealthy', unmet: ['Felix does not run'] })
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
})
