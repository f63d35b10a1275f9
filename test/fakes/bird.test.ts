import { describe, expect, it } from 'vitest'
import { deadSession, FakeBird, restartTimeline, session } from './bird.ts'
import { FakeClock } from './clock.ts'

const endpoint = { family: 4, socket: '/var/run/calico/bird.ctl', via: 'host' } as const

describe('FakeBird', () => {
  it('goes through the phases of a restart', async () => {
    const clock = new FakeClock({ now: 0 })
    const timeline = restartTimeline('t1', [session(2)])
    const bird = new FakeBird({
      clock,
      running: () => ({ container: 'new', since: 0 }),
      timeline: () => timeline,
    })
    expect(await bird.look(endpoint, 'new')).toEqual({ state: 'down' })
    clock.pass(200)
    expect(await bird.look(endpoint, 'new')).toMatchObject({
      recovering: true,
      sessions: [{ established: false }],
    })
    clock.pass(3_800)
    expect(await bird.look(endpoint, 'new')).toMatchObject({
      recovering: true,
      sessions: [{ established: true }],
    })
    clock.pass(200)
    expect(await bird.look(endpoint, 'new')).toMatchObject({ recovering: false, waitTimer: null })
  })

  it('ends a recovery when the dead peer is disabled, in this instance only', async () => {
    const clock = new FakeClock({ now: 0 })
    const running = { container: 'new', since: 0 }
    const timeline = restartTimeline('t1', [session(2), deadSession(9)])
    const bird = new FakeBird({ clock, running: () => running, timeline: () => timeline })
    clock.pass(5_000)
    expect(await bird.look(endpoint, 'new')).toMatchObject({ recovering: true })
    await bird.disable(endpoint, 'new', 'Mesh_192_0_2_9')
    expect(await bird.look(endpoint, 'new')).toMatchObject({
      recovering: false,
      sessions: [{}, { disabled: true }],
    })
    await bird.enable(endpoint, 'new', 'Mesh_192_0_2_9')
    expect(await bird.look(endpoint, 'new')).toMatchObject({
      recovering: false,
      sessions: [{}, { disabled: false }],
    })
    running.since = 0.5
    expect(await bird.look(endpoint, 'new')).toMatchObject({
      recovering: true,
      sessions: [{}, { disabled: false }],
    })
    expect(bird.ops).toEqual(['disable Mesh_192_0_2_9', 'enable Mesh_192_0_2_9'])
  })
})
