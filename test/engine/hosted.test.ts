import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { awayError } from '../fakes/kubernetes.ts'
import { HostedHost } from './hosted-host.ts'
import type { HostedOptions } from './hosted-options.ts'

describe('the swap of a DaemonSet’s pod', () => {
  it.each<[string, HostedOptions]>([
    ['the only host', {}],
    ['the first of two', { other: 'to come' }],
    ['the last of two', { other: 'done' }],
    ['with a config', { config: 'beside the image' }],
    ['with a config, on the last of two', { config: 'beside the image', other: 'done' }],
    ['with a manifest', { manifest: true }],
    ['with a manifest, on the first of two', { manifest: true, other: 'to come' }],
    ['with a manifest, on the last of two', { manifest: true, other: 'done' }],
    ['with a config alone', { config: 'alone' }],
    ['with a config alone, on the first of two', { config: 'alone', other: 'to come' }],
    ['without Docker', { containerd: true }],
    [
      'without Docker, with a manifest, on the last of two',
      { containerd: true, manifest: true, other: 'done' },
    ],
  ])('replaces the pod of this host alone: %s', async (_, options) => {
    const host = await HostedHost.create(options)
    expect({ outcome: await host.run(), problems: host.problems }).toEqual({
      outcome: 'upgraded',
      problems: [],
    })
    // else the next run finds a rollout in progress
    const { metadata, status } = host.cluster.set
    expect(status?.observedGeneration).toBe(metadata.generation)
    expect(await host.flaws('upgraded')).toEqual([])
  })
})

type Deaths = HostedOptions & { powerCut?: boolean; waitMs?: number; asked?: boolean }

/** What goes wrong when the agent dies at any of its moves, and is resumed so long after. */
async function flawsOfDeaths({ powerCut = false, waitMs = 0, asked, ...options }: Deaths): Promise<string[]> {
  const whole = await HostedHost.create(options)
  await whole.run()
  const all: string[] = []
  const deaths = whole.agent.deaths.filter(({ before }) => asked !== true || !before)
  for (const death of deaths) {
    const host = await HostedHost.create(options)
    const isDead = (await host.run({ ...death, ...(asked && { asked }) })) === 'killed'
    if (powerCut) host.powerCycle()
    if (waitMs > 0) await host.clock.sleep(waitMs)
    // between the delete and the kill nobody else is there to kill
    host.kubelet.violations.length = 0
    const outcome = await host.resume()
    const flaws = isDead ? await host.flaws(outcome) : ['it was not killed']
    const where = `${death.before ? 'before' : 'after'} move ${death.at}`
    all.push(...flaws.map((flaw) => `died ${where}, ${outcome}: ${flaw}`))
  }
  return all
}

const noBird: HostedOptions['newBird'] = () => [{ at: 0, view: { state: 'down' } }]
it.each<[string, HostedOptions]>([
  ['there', {}],
  ['back', { newBird: noBird }],
])(
  'what a kubelet that hears of a delete late starts again is gone before the next, on the way %s',
  async (_, options) => {
    const host = await HostedHost.create(options)
    Object.assign(host.kubelet, { restartMs: 840, hearsAfterMs: 880 })
    expect(await host.flaws(await host.run())).toEqual([])
  },
)

it.each<[string, HostedOptions]>([
  ['there', {}],
  ['back', { newBird: noBird }],
])(
  'what a kubelet starts again while the API server takes the delete gets no session, on the way %s',
  async (_, options) => {
    const times = { upMs: 100, backMs: 300, recoveredMs: 2_000 }
    const host = await HostedHost.create({ ...options, times })
    const { cluster, clock, kubelet } = host
    kubelet.restartMs = 100
    const remove = cluster.remove.bind(cluster)
    cluster.remove = async (ref, uid) => {
      await clock.sleep(1_500)
      await remove(ref, uid)
    }
    expect(await host.flaws(await host.run())).toEqual([])
  },
)

it('the kill comes before the TERM of a kubelet that hears of the delete at once, on an Engine that is busy', async () => {
  const host = await HostedHost.create()
  const { kubelet, docker, clock } = host
  kubelet.termMs = 50
  docker.killTakes = () => clock.sleep(150)
  expect(await host.flaws(await host.run())).toEqual([])
})

it('no pod is deleted where the Engine refuses the kill', async () => {
  const host = await HostedHost.create()
  host.docker.failNext('killContainer', new AgentError('docker-refused', 'no', { fix: '' }))
  const [pod] = host.cluster.pods
  await host.run()
  expect(host.cluster.pods.map(({ metadata }) => metadata.uid)).toEqual([pod?.metadata.uid])
})

const images: [string, HostedOptions][] = [
  ['a good image', {}],
  ['a good image on the last host', { other: 'done' }],
  ['an image whose BIRD never comes', { newBird: noBird }],
  ['an image that crashes, on the last host', { newExitsAfter: 300, other: 'done' }],
  ['an image that the kubelet cannot find', { unknown: true }],
  ['a manifest', { manifest: true }],
  ['a manifest whose image crashes', { manifest: true, newExitsAfter: 300 }],
  ['a manifest whose image crashes, on the last host', { manifest: true, newExitsAfter: 300, other: 'done' }],
  ['a config', { config: 'alone' }],
  ['an image that crashes with its config', { newExitsAfter: 300, config: 'beside the image' }],
  ['a good image, without Docker', { containerd: true }],
  ['an image that crashes, without Docker', { containerd: true, newExitsAfter: 300 }],
  ['an image that the kubelet cannot find, without Docker', { containerd: true, unknown: true }],
  [
    'an image that crashes, on the last host of a config',
    { newExitsAfter: 300, config: 'beside the image', other: 'done' },
  ],
]
const ways: [string, Deaths][] = [
  ['at once', {}],
  ['after 1 s', { waitMs: 1_000 }],
  ['after 30 s', { waitMs: 30_000 }],
  ['after a power cut', { powerCut: true }],
  ['after a power cut and 30 s', { powerCut: true, waitMs: 30_000 }],
]

describe('an agent that dies at any of its moves', () => {
  const cases = images.flatMap(([name, options]) =>
    ways.map(([how, way]): [string, string, Deaths] => [name, how, { ...options, ...way }]),
  )
  it.each(cases)(
    'leaves one pod, old or new with its template: %s, resumed %s',
    async (_name, _how, deaths) => {
      expect(await flawsOfDeaths(deaths)).toEqual([])
    },
  )

  it('twice does so as well', async () => {
    const whole = await HostedHost.create()
    await whole.run()
    const all: string[] = []
    for (let at = 0; at < whole.agent.moves; at++) {
      for (let again = 0; again < 7; again++) {
        const host = await HostedHost.create()
        await host.run({ at, before: false })
        await host.resume({ at: again, before: false })
        const flaws = await host.flaws(await host.resume())
        all.push(...flaws.map((flaw) => `died after move ${at}, then after move ${again}: ${flaw}`))
      }
    }
    expect(all).toEqual([])
  })

  it('while the API server carries out what it asked for leaves it so too', async () => {
    expect(await flawsOfDeaths({ asked: true })).toEqual([])
  })
})

describe('a new image that does not pass', () => {
  it.each<[string, HostedOptions, string]>([
    ['never has a BIRD', { newBird: noBird }, 'gate-failed'],
    ['crashes', { newExitsAfter: 300 }, 'gate-failed'],
    ['crashes without Docker', { containerd: true, newExitsAfter: 300 }, 'its exit code is not known'],
    ['crashes on the last host', { newExitsAfter: 300, other: 'done' }, 'gate-failed'],
    ['is not found by the kubelet', { unknown: true }, 'gate-failed'],
    ['crashes with its config', { newExitsAfter: 300, config: 'beside the image' }, 'gate-failed'],
  ])('gives way to the old pod and its template: %s', async (_, options, code) => {
    const host = await HostedHost.create(options)
    expect(await host.run()).toBe('rolled-back')
    expect(host.problems[0]).toContain(code)
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})

/** Resumes as the service does, until the run is finished. */
async function settled(host: HostedHost, outcome: string): Promise<string> {
  for (let tries = 0; tries < 4 && host.agent.state()?.outcome === null; tries++) {
    outcome = await host.resume()
    await host.clock.sleep(5_000)
  }
  return outcome
}

/** The API server goes away there, so that the agent has no answer, and comes back. */
function goesAway({ cluster, clock }: HostedHost, at: string, ms: number): void {
  const seen = new Map<string, number>()
  cluster.onWrite = (what) => {
    const count = (seen.get(what) ?? 0) + 1
    seen.set(what, count)
    if (`${what}#${count}` !== at) return
    cluster.away = awayError()
    void clock.sleep(ms).then(() => {
      cluster.away = null
      cluster.sync()
    })
    throw awayError()
  }
}

describe('an API server that goes away', () => {
  const points = ['patch#1', 'patched#1', 'remove#1', 'removed#1', 'patch#2', 'patched#2']
  const times = points.flatMap((point) =>
    [500, 5_000, 100_000].map((ms) => ({ point, ms, containerd: false })),
  )
  const withoutDocker = points.map((point) => ({ point, ms: 5_000, containerd: true }))
  it.each([...times, ...withoutDocker])(
    'leaves the host old or new: at $point for $ms ms, without Docker: $containerd',
    async ({ point, ms, containerd }) => {
      const host = await HostedHost.create({ containerd })
      goesAway(host, point, ms)
      const outcome = await settled(host, await host.run())
      const isKept = host.problems.some((problem) => problem.startsWith('strategy-kept'))
      const expected = isKept && point === 'patch#2' ? ['the strategy is OnDelete'] : []
      expect({ outcome, flaws: await host.flaws(outcome) }).toEqual({ outcome, flaws: expected })
      expect(isKept).toBe(point.endsWith('#2') && ms === 100_000)
    },
  )

  it.each([5_000, 400_000])('while a dead run is resumed does not end the run: for %i ms', async (ms) => {
    const host = await HostedHost.create()
    let at = -1
    host.agent.onMove = (move, what) => {
      if (what === 'killContainer' && at < 0) at = move
    }
    await host.run()
    const other = await HostedHost.create()
    await other.run({ at, before: false })
    other.cluster.away = awayError()
    void other.clock.sleep(ms).then(() => {
      other.cluster.away = null
      other.cluster.sync()
    })
    let outcome = 'killed'
    for (let tries = 0; tries < 20 && other.agent.state()?.outcome === null; tries++) {
      outcome = await other.resume()
      await other.clock.sleep(5_000)
    }
    expect(['upgraded', 'rolled-back']).toContain(outcome)
    expect(await other.flaws(outcome)).toEqual([])
  })
})

describe('a credential that may not delete pods any more', () => {
  it('has the template put back, and the old pod goes on', async () => {
    const host = await HostedHost.create()
    host.cluster.onWrite = (what) => {
      if (what === 'remove')
        throw new AgentError('kubernetes-forbidden', 'cannot delete Pod', { fix: 'grant it' })
    }
    expect(await host.run()).toBe('rolled-back')
    expect(host.problems[0]).toContain('kubernetes-forbidden')
    expect(await host.flaws('rolled-back')).toEqual([])
    expect(host.cluster.pods.map(({ metadata }) => metadata.name)).toEqual(['calico-node-1'])
  })
})

describe('a kubelet that is stopped in the middle', () => {
  it.each([1_000, 60_000])('and started again after %i ms leaves the host old or new', async (ms) => {
    const host = await HostedHost.create()
    host.agent.onMove = (_, what) => {
      if (what !== 'killContainer' || host.kubelet.isAsleep) return
      host.kubelet.isAsleep = true
      void host.clock.sleep(ms).then(() => {
        host.restartKubelet()
      })
    }
    const outcome = await settled(host, await host.run())
    expect({ outcome, flaws: await host.flaws(outcome) }).toEqual({ outcome, flaws: [] })
  })
})
