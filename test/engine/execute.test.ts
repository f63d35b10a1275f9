import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import type { AgentEvent } from '../../agent/core/events.ts'
import { brokenBirds } from './broken-birds.ts'
import { FakeHost, type HostOptions } from './fake-host.ts'
import { RUN } from './killable-run.ts'

const refused = new AgentError('docker-refused', 'cannot: Docker refuses', { fix: 'none' })
const NEXT = `calico-node-next-${RUN}`
const PARKED = `calico-node-parked-${RUN}`

/** Which step did what, in a word each; the watch's own events left out. */
function story(events: AgentEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type === 'step') return [`${event.status} ${event.index}`]
    return event.type === 'unwinding' ? ['unwinding'] : []
  })
}

/** Runs an upgrade whose n-th call of a Docker method fails. */
async function upgradeWithFailure(method: string, nth: number, options: HostOptions = {}) {
  const host = await FakeHost.create(options)
  let calls = 0
  host.agent.onMove = (_, what) => {
    if (what === method && ++calls === nth) throw refused
  }
  return { host, outcome: await host.run() }
}

const done = (step: number) => [`doing ${step}`, `verifying ${step}`, `verified ${step}`]
const undone = (...steps: number[]) => [
  'unwinding',
  ...steps.flatMap((step) => [`undoing ${step}`, `undone ${step}`]),
]

// the plan: 0 pull-image, 1 create-container, 2 swap-container, 3 commit
describe('execute', () => {
  it('keeps the new container, and parks the old one', async () => {
    const host = await FakeHost.create()
    expect(await host.run()).toBe('upgraded')
    expect(host.ops).toEqual([
      'docker pull calico/node:v2.6.12',
      `docker create ${NEXT} calico/node:v2.6.12`,
      'docker update calico-node --restart always',
      'docker kill calico-node',
      'close 192.0.2.2',
      'close 192.0.2.3',
      `docker start ${NEXT}`,
      'open 192.0.2.2',
      'open 192.0.2.3',
      'docker update calico-node --restart no',
      `docker update ${NEXT} --restart always`,
      `docker rename calico-node ${PARKED}`,
      `docker rename ${NEXT} calico-node`,
    ])
    expect(host.agent.state()?.window).toEqual({
      budgetMs: 20_000,
      birdDownMs: 210,
      sessionsBackMs: 3_910,
      recoveredMs: 4_110,
      usedMs: 4_110,
      settledMs: 5_110,
      releasedPeers: [],
    })
    expect(host.agent.state()?.pulledBytes).toBeGreaterThan(0)
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('captures the way back of each step before its first move', async () => {
    const host = await FakeHost.create()
    await host.run()
    expect(host.agent.records()).toEqual([
      'run',
      ...[0, 1, 2, 3].flatMap((step) => [
        `captured ${step}`,
        `doing ${step}`,
        `done ${step}`,
        `verified ${step}`,
      ]),
      'finished',
    ])
  })

  it.each([
    [599e6, 'refused'],
    [600e6, 'upgraded'],
  ])('looks at the room for a pull before it: %d bytes', async (free, expected) => {
    const host = await FakeHost.create()
    host.probe.freeBytes = (path) => Promise.resolve(path === '/var/lib/docker' ? free : null)
    expect(await host.run()).toBe(expected)
    expect(await host.flaws(expected)).toEqual([])
    if (expected === 'upgraded') return
    expect(host.ops).toEqual([])
    expect(host.agent.state()?.problems).toMatchObject([
      { code: 'no-space', message: expect.stringContaining('/var/lib/docker has 599 MB free') as string },
    ])
  })

  it('looks at the room where containerd keeps the images, and beside it', async () => {
    const free: Record<string, number> = { '/var/lib/containerd': 599e6, '/var/lib/docker': 60e6 }
    const host = await FakeHost.create()
    host.docker.imageRoot = '/var/lib/containerd'
    host.probe.freeBytes = (path) => Promise.resolve(free[path] ?? null)
    expect(await host.run()).toBe('refused')
    expect(host.agent.state()?.problems[0]?.message).toContain('/var/lib/containerd has 599 MB free')

    const roomy = await FakeHost.create()
    roomy.docker.imageRoot = '/var/lib/containerd'
    roomy.probe.freeBytes = (path) => Promise.resolve(path === '/var/lib/docker' ? 60e6 : 600e6)
    expect(await roomy.run()).toBe('upgraded')
  })

  it('releases a peer that was dead before, and puts it back', async () => {
    const host = await FakeHost.create({ deadPeer: true })
    expect(await host.run()).toBe('upgraded')
    expect(host.ops.filter((op) => /able/.test(op))).toEqual([
      ...['disable Mesh_192_0_2_9', 'disable Mesh_192_0_2_9'],
      ...['enable Mesh_192_0_2_9', 'enable Mesh_192_0_2_9'],
    ])
    expect(host.agent.state()?.window?.releasedPeers).toEqual(['Mesh_192_0_2_9'])
  })

  it.each<[string, string, string[]]>([
    ['pullImage', 'refused', ['doing 0', 'failed 0', ...undone(0)]],
    ['createContainer', 'refused', [...done(0), 'doing 1', 'failed 1', ...undone(1, 0)]],
    ['killContainer', 'rolled-back', [...done(0), ...done(1), 'doing 2', 'failed 2', ...undone(2, 1, 0)]],
    ['startContainer', 'rolled-back', [...done(0), ...done(1), 'doing 2', 'failed 2', ...undone(2, 1, 0)]],
  ])('undoes in reverse, the failing step first, when %s fails', async (method, expected, events) => {
    const { host, outcome } = await upgradeWithFailure(method, 1)
    expect(outcome).toBe(expected)
    expect(story(host.events)).toEqual(events)
    expect(await host.flaws(outcome)).toEqual([])
    expect(host.agent.state()?.problems).toMatchObject([{ code: 'docker-refused' }])
  })

  it.each(Object.entries(brokenBirds))('gives %s up', async (_, options) => {
    const host = await FakeHost.create(options)
    expect(await host.run()).toBe('rolled-back')
    expect(story(host.events)).toEqual([
      ...[...done(0), ...done(1), 'doing 2', 'verifying 2', 'failed 2'],
      ...undone(2, 1, 0),
    ])
    expect(await host.flaws('rolled-back')).toEqual([])
    expect(host.agent.state()?.problems).toMatchObject([{ code: 'gate-failed' }])
  })

  it('puts a run off that a peer in its own restart stops before the first move', async () => {
    const host = await FakeHost.create()
    const fix = 'run again when it is back'
    host.agent.onMove = (_, what) => {
      if (what === 'createContainer')
        throw new AgentError('peer-restarting', 'cannot restart BIRD now', { fix })
    }
    expect(await host.run()).toBe('deferred')
    expect(await host.flaws('refused')).toEqual([])
  })

  it('starts the old container while the reserve is left when no session comes', async () => {
    const host = await FakeHost.create(brokenBirds['a BIRD whose sessions never come'])
    await host.run()
    const gone = host.opTimes.get('docker kill calico-node') ?? 0
    const back = host.opTimes.get('docker start calico-node') ?? Infinity
    // budget 20 s, reserve a third of it; one poll more
    expect(back - gone).toBeLessThanOrEqual(13_334 + 100)
  })

  it.each([
    ['startContainer', 2],
    ['renameContainer', 1],
    ['renameContainer', 2],
  ])('undoes nothing of a commit that took hold: %s, call %d', async (method, nth) => {
    const { host, outcome } = await upgradeWithFailure(method, nth)
    expect(outcome).toBe('stuck')
    expect(story(host.events)).toEqual([...done(0), ...done(1), ...done(2), 'doing 3', 'failed 3'])
    const running = (await host.containers()).filter(({ State }) => State.Running)
    expect(running.map(({ Config }) => Config.Image)).toEqual(['calico/node:v2.6.12'])
    expect(host.agent.state()?.problems).toMatchObject([{ code: 'docker-refused' }])
  })

  it('is stuck when the way back fails as well', async () => {
    const host = await FakeHost.create()
    host.agent.onMove = (_, what) => {
      if (what === 'startContainer') throw refused
    }
    expect(await host.run()).toBe('stuck')
    expect(host.agent.records().slice(-3)).toEqual(['unwinding', 'undoing 2', 'finished'])
  })

  it('tells every failure of the way back, of each component', async () => {
    const host = await FakeHost.create({ withPlugins: true })
    let placed = 0
    const failing = ['startContainer', 'putBack']
    host.agent.onMove = (_, what) => {
      // the last plugin cannot be put in place, and nothing can go back
      if (what === 'putInPlace') placed++
      if (placed > 1 && (what === 'putInPlace' || failing.includes(what)))
        throw new AgentError(`${what}-failed`, `cannot ${what}`, { fix: `mend ${what}` })
    }
    expect(await host.run()).toBe('stuck')
    expect(host.agent.state()?.problems.at(-1)).toMatchObject({
      message: 'cannot putBack; cannot startContainer',
      fix: 'mend putBack; mend startContainer',
    })
  })

  it.each(['keep', 'putInPlace'])(
    'is rolled back where the directory of the plugins is read-only at %s: nothing was replaced',
    async (failing) => {
      const host = await FakeHost.create({ withPlugins: true })
      let isReadOnly = false
      host.agent.onMove = (_, what) => {
        isReadOnly ||= what === failing
        if (isReadOnly && ['keep', 'putInPlace', 'putBack', 'unstage'].includes(what))
          throw new AgentError('cannot-write', `cannot ${what}: read-only file system`, { fix: 'remount' })
      }
      expect(await host.run()).toBe('rolled-back')
      const [first, ...left] = host.agent.state()?.problems ?? []
      expect(first).toMatchObject({ code: 'cannot-write', severity: 'error' })
      expect(left.length).toBeGreaterThan(0)
      for (const one of left) expect(one).toMatchObject({ code: 'leftover', severity: 'warning' })
      expect((await host.docker.inspectContainer('calico-node'))?.State.Running).toBe(true)
    },
  )

  it('tells a bug from a refusal', async () => {
    const host = await FakeHost.create()
    host.agent.onMove = (_, what) => {
      if (what === 'killContainer') throw new TypeError('x is not a function')
    }
    expect(await host.run()).toBe('rolled-back')
    expect(host.agent.state()?.problems).toMatchObject([
      { code: 'internal', message: expect.stringMatching(/^internal error: TypeError/) as unknown },
    ])
  })
})

describe('a cancel', () => {
  const reason = new AgentError('cancelled', 'cannot continue: stopped by SIGTERM', { fix: 'run it again' })

  /** Cancels when `when` says so; returns how the run ended, and what is wrong. */
  async function cancelled(options: HostOptions, arm: (host: FakeHost, cancel: () => void) => void) {
    const host = await FakeHost.create(options)
    const controller = new AbortController()
    arm(host, () => {
      controller.abort(reason)
    })
    const outcome = await host.run(controller.signal)
    return { host, outcome, flaws: await host.flaws(outcome) }
  }

  it.each<[string, HostOptions]>([
    ['a live peer', {}],
    ['a dead peer', { deadPeer: true }],
    ['--rm', { policy: 'no', autoRemove: true }],
  ])('at any move ends old before the commit, and new after it, with %s', async (_, options) => {
    const moves = (await cancelled(options, () => undefined)).host.agent.moves
    for (let at = 0; at < moves; at++) {
      const before: string[] = []
      const { host, outcome, flaws } = await cancelled(options, (armed, cancel) => {
        armed.agent.onMove = (move) => {
          if (move !== at) return
          before.push(...armed.agent.records())
          cancel()
        }
      })
      expect({ at, flaws }).toEqual({ at, flaws: [] })
      if (before.includes('doing 3')) expect(outcome).toBe('upgraded')
      if (outcome !== 'upgraded') expect(host.agent.state()?.problems[0]).toMatchObject({ code: 'cancelled' })
    }
  })

  it('at any time of the trial never stops a BIRD that recovers', async () => {
    for (let ms = 0; ms < 5_500; ms += 100) {
      const { outcome, flaws } = await cancelled({}, (host, cancel) => {
        host.agent.onMove = (_, what) => {
          if (what === 'killContainer') void host.clock.sleep(ms).then(cancel)
        }
      })
      expect({ ms, flaws }).toEqual({ ms, flaws: [] })
      expect(ms < 5_000 ? outcome : 'rolled-back').toBe('rolled-back')
    }
  })
})
