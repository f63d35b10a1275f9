import { describe, expect, it } from 'vitest'
import { FakeHost } from './fake-host.ts'
import type { Death } from './moves.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** What an upgrade did and measured; the wall clock is set before one of its moves. */
async function story(jumpMs: number, at: number, death?: Death) {
  const host = await FakeHost.create()
  host.agent.onMove = (move) => {
    if (move === at) host.clock.setWall(jumpMs)
  }
  const first = await host.run(undefined, death)
  host.agent.onMove = () => undefined
  const outcome = death ? await host.resume() : first
  const window = host.agent.state()?.window
  return {
    moves: host.agent.moves,
    story: { first, outcome, window, ops: host.ops, flaws: await host.flaws(outcome) },
  }
}

describe.each([
  ['an hour on', HOUR_MS],
  ['an hour back', -HOUR_MS],
  ['400 days on', 400 * DAY_MS],
  ['400 days back', -400 * DAY_MS],
])('a wall clock that is set %s', (_, jumpMs) => {
  it('at any move changes nothing of a run', async () => {
    const still = await story(0, 0)
    expect(still.story).toMatchObject({ outcome: 'upgraded', flaws: [] })
    for (let at = 0; at < still.moves; at++)
      expect({ at, ...(await story(jumpMs, at)).story }).toEqual({ at, ...still.story })
  })

  it('before the death of the agent changes nothing of the resume', async () => {
    const { moves } = await story(0, 0)
    for (let at = 0; at < moves; at++) {
      const death = { at, before: false }
      expect({ at, ...(await story(jumpMs, at, death)).story }).toEqual({
        at,
        ...(await story(0, at, death)).story,
      })
    }
  })
})

it('a clock that is set shows in the journal alone', async () => {
  const host = await FakeHost.create()
  host.clock.setWall(400 * DAY_MS)
  await host.run()
  expect(host.agent.state()?.startedAt).toMatch(/^2027-12-27/)
})
