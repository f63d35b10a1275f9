import { describe, expect, it } from 'vitest'
import { FakeHost, type HostOptions } from './fake-host.ts'
import type { Death } from './moves.ts'
import { shapes } from './shapes.ts'

/** Every moment of a run at which the agent may die. */
async function moments(options: HostOptions): Promise<Death[]> {
  const host = await FakeHost.create(options)
  await host.run()
  return host.agent.deaths
}

/** What is wrong after a death at each moment, and a resume. */
async function flawsOfDeaths(options: HostOptions, powerCut: boolean): Promise<string[]> {
  const all: string[] = []
  for (const death of await moments(options)) {
    const host = await FakeHost.create(options)
    const ended = await host.run(undefined, death)
    const where = `died ${death.before ? 'before' : 'after'} move ${death.at}, ${host.agent.records().at(-1) ?? 'no record'}`
    if (ended !== 'killed') all.push(`${where}: it was not killed`)
    if (powerCut) host.powerCycle()
    const outcome = await host.resume()
    const settled = JSON.stringify(await host.containers())
    const again = await host.resume()
    const flaws = await host.flaws(outcome)
    if (again !== outcome || JSON.stringify(await host.containers()) !== settled)
      flaws.push('resumed again, it differs')
    all.push(...flaws.map((flaw) => `${where}: ${flaw}`))
  }
  return all
}

describe('an agent that dies at any moment', () => {
  it.each(shapes)('leaves a whole host after its resume, with %s', async (_, options) => {
    expect(await flawsOfDeaths(options, false)).toEqual([])
  })

  it.each(shapes)('leaves a whole host after a power cut and its resume, with %s', async (_, options) => {
    expect(await flawsOfDeaths(options, true)).toEqual([])
  })

  it.each<[string, (host: FakeHost) => void, string, number?]>([
    ['names stay', ({ docker }) => (docker.renameContainer = () => Promise.resolve()), 'runs'],
    [
      'policies stay',
      ({ docker }) => (docker.setRestartPolicy = () => Promise.resolve()),
      'another restart policy',
    ],
    [
      'a kill does nothing',
      ({ docker }) => (docker.killContainer = () => Promise.resolve()),
      'started beside',
    ],
    [
      'what was staged stays',
      ({ plugins }) => (plugins.unstage = () => Promise.resolve()),
      '.new/calico',
      13,
    ],
    ['nothing is removed', ({ docker }) => (docker.removeContainer = () => Promise.resolve()), 'is left', 8],
  ])('would be caught on a host where %s', async (_, spoil, flaw, died) => {
    const host = await FakeHost.create({ withPlugins: true })
    spoil(host)
    if (died !== undefined) await host.run(undefined, { at: died, before: false })
    else await host.run()
    expect((await host.flaws(await host.resume())).join('; ')).toContain(flaw)
  })
})
