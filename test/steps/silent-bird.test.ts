import { describe, expect, it } from 'vitest'
import type { BirdView } from '../../agent/core/bird/view.ts'
import { awaitSafeStop } from '../../agent/steps/gate/await-restored.ts'
import { watchTrial } from '../../agent/steps/gate/gate.ts'
import { session, type Timeline, upView } from '../fakes/bird.ts'
import { onePeer, trialOf } from './trial-host.ts'

const silent: BirdView = { state: 'silent' }
const recovering = upView('new', [session(2)], true)
const recovered = upView('new', [session(2)])
const of = (now: Timeline) => ({ 4: { old: onePeer, now } })

describe('a BIRD that does not answer', () => {
  it('is not stopped by a watch that has not seen it before', async () => {
    const { trial, context, clock } = await trialOf(
      of([
        { at: 0, view: silent },
        { at: 80_000, view: recovering },
        { at: 85_000, view: recovered },
      ]),
      75_000,
    )
    expect(await awaitSafeStop(trial, context)).toBe(true)
    expect(clock.now()).toBeGreaterThanOrEqual(86_000)
  })

  it.each<[string, Timeline, number]>([
    // BIRD's hold time and its wait for End-of-RIB, 240 s both
    [
      'it hung in its recovery',
      [
        { at: 0, view: recovering },
        { at: 5_000, view: silent },
      ],
      245_000,
    ],
    ['it was never heard', [{ at: 0, view: silent }], 70_000],
  ])('is given up when its peers have given it up as well: %s', async (_, timeline, at) => {
    const { trial, context, clock } = await trialOf(of(timeline))
    const result = await watchTrial(trial, context)
    expect(result).toMatchObject({ passed: false, reason: 'out-of-time', unmet: ['BIRD does not answer'] })
    expect(Math.abs(clock.now() - at)).toBeLessThan(1_000)
    await awaitSafeStop(trial, context)
    expect(clock.now() - at).toBeLessThan(12_000)
  })

  it('is waited for while it may still recover', async () => {
    const { trial, context } = await trialOf(
      of([
        { at: 0, view: recovering },
        { at: 5_000, view: silent },
        { at: 200_000, view: recovered },
      ]),
    )
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true })
  })

  it('does not bind the way back for long where the other daemon answers', async () => {
    const both = {
      4: { old: onePeer, now: [{ at: 0, view: recovered }] },
      6: { old: onePeer, now: [{ at: 0, view: silent }] },
    }
    const { trial, context, clock } = await trialOf(both, 20_000)
    await awaitSafeStop(trial, context)
    expect(clock.now()).toBeLessThan(32_000)
  })

  it('says nothing where it had no sessions', async () => {
    const none = upView('old', [])
    const both = {
      4: { old: onePeer, now: [{ at: 0, view: recovered }] },
      6: { old: none, now: [{ at: 0, view: silent }] },
    }
    const { trial, context, clock } = await trialOf(both)
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true })
    expect(clock.now()).toBeLessThan(5_000)
  })
})
