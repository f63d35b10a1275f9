import { describe, expect, it } from 'vitest'
import { HostedHost, type HostedOptions } from './hosted-host.ts'

describe('the swap of a DaemonSet’s pod', () => {
  it.each<[string, HostedOptions]>([
    ['the only host', {}],
    ['the first of two', { other: 'to come' }],
    ['the last of two', { other: 'done' }],
  ])('replaces the pod of this host alone: %s', async (_, options) => {
    const host = await HostedHost.create(options)
    expect({ outcome: await host.run(), problems: host.problems }).toEqual({
      outcome: 'upgraded',
      problems: [],
    })
    expect(await host.flaws('upgraded')).toEqual([])
  })
})

type Deaths = HostedOptions & { powerCut?: boolean; waitMs?: number; asked?: boolean }

/** What goes wrong when the agent dies at any of its moves, and is resumed so long after. */
async function flawsOfDeaths({ powerCut = false, waitMs = 0, asked, ...options }: Deaths): Promise<string[]> {
  const whole = await HostedHost.create(options)
  await whole.run()
  const all: string[] = []
  for (let at = 0; at < whole.agent.moves; at++) {
    for (const before of asked === true ? [false] : [true, false]) {
      const host = await HostedHost.create(options)
      const isDead = (await host.run({ at, before, ...(asked && { asked }) })) === 'killed'
      if (powerCut) host.powerCycle()
      if (waitMs > 0) await host.clock.sleep(waitMs)
      // between the delete and the kill nobody else is there to kill
      host.kubelet.violations.length = 0
      const outcome = await host.resume()
      const flaws = isDead ? await host.flaws(outcome) : ['it was not killed']
      all.push(...flaws.map((flaw) => `died ${before ? 'before' : 'after'} move ${at}, ${outcome}: ${flaw}`))
    }
  }
  return all
}

const noBird: HostedOptions['newBird'] = () => [{ at: 0, view: { state: 'down' } }]
const images: [string, HostedOptions][] = [
  ['a good image', {}],
  ['a good image on the last host', { other: 'done' }],
  ['an image whose BIRD never comes', { newBird: noBird }],
  ['an image that crashes, on the last host', { newExitsAfter: 300, other: 'done' }],
  ['an image that the kubelet cannot find', { unknown: true }],
]
const ways: [string, Deaths][] = [
  ['at once', {}],
  ['after 1 s', { waitMs: 1_000 }],
  ['after 30 s', { waitMs: 30_000 }],
  ['after a power cut', { powerCut: true }],
  ['after a power cut and 30 s', { powerCut: true, waitMs: 30_000 }],
]

describe('an agent that dies at any of its moves', () => {
  it.each(images.flatMap(([name, options]) => ways.map(([how, way]) => ({ name, how, ...options, ...way }))))(
    'leaves one pod, old or new with its template: $name, resumed $how',
    async ({ name: _name, how: _how, ...deaths }) => {
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
    ['crashes on the last host', { newExitsAfter: 300, other: 'done' }, 'gate-failed'],
    ['is not found by the kubelet', { unknown: true }, 'gate-failed'],
  ])('gives way to the old pod and its template: %s', async (_, options, code) => {
    const host = await HostedHost.create(options)
    expect(await host.run()).toBe('rolled-back')
    expect(host.problems[0]).toContain(code)
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})
