import { describe, expect, it } from 'vitest'
import type { Campaign, Run } from '../../scripts/soaking/campaigns.ts'
import { Counters } from '../../scripts/soaking/counters.ts'
import { document, withPart } from '../../scripts/soaking/document.ts'
import { upperBound } from '../../scripts/soaking/statistics.ts'
import { Mesh } from '../lab/mesh.ts'
import { registryClient } from '../lab/registry-client.ts'

describe('upperBound', () => {
  // Clopper-Pearson, one-sided 95 %; without a bad outcome it is 1 - 0.05^(1/n).
  it.each([
    [1, 0, 0.95],
    [20, 0, 0.1391],
    [300, 0, 0.00994],
    [100, 1, 0.0466],
    [10, 10, 1],
  ])('of %i trials with %i bad ones is %f', (trials, bad, bound) => {
    expect(upperBound(trials, bad)).toBeCloseTo(bound, 3)
  })
})

describe('the table', () => {
  const rows = [
    { name: 'killed', planned: 300, trials: 100, bad: 1, control: '2 calico-nodes | run\nbeside' },
    { name: 'races', planned: 10, trials: 0, bad: 0, control: null },
  ]

  it('says how many of the trials were run, and shouts when a control did not fail', () => {
    const text = document(rows, { asked: null, taken: 90 })
    expect(text).toContain('`./scripts/soak`, which ran 90 minutes')
    expect(text).toContain('| killed | 100 of 300 | 1 | 4.7 % | 2 calico-nodes / run beside |')
    expect(text).toContain('| races | 0 of 10 | 0 | - | DID NOT FAIL |')
  })

  it('names the command that made it', () => {
    expect(document(rows, { asked: 30, taken: 31 })).toContain('`./scripts/soak --minutes 30`, which ran 31')
  })
})

describe('campaigns that were run on their own', () => {
  const rows = [{ name: 'fleet: a', planned: 100, trials: 100, bad: 0, control: 'two' }]
  const part = { only: 'fleet', rows, duration: { asked: null, taken: 40 } }
  const whole = document([], { asked: 12, taken: 12 })

  it('have a section of their own, which is replaced', () => {
    const once = withPart(`${whole}\n## Only fleets\n\nother\n`, part)
    const again = withPart(once, {
      ...part,
      rows: [{ name: 'fleet: b', planned: 9, trials: 9, bad: 0, control: 'x' }],
    })
    expect(again.startsWith(whole)).toBe(true)
    expect(again.match(/^## .*$/gm)).toEqual(['## Only fleets', '## Only fleet'])
    expect(again).toContain('`./scripts/soak --only fleet`, which ran 40 minutes')
    expect(again).toContain('| fleet: b | 9 of 9 | 0 |')
    expect(again).not.toContain('fleet: a')
  })

  it('keep it when all are run', () => {
    const text = document([], { asked: 12, taken: 13 }, withPart(whole, part))
    expect(text).toContain('which ran 13 minutes')
    expect(text).toContain('| fleet: a | 100 of 100 | 0 |')
    expect(text).not.toContain('which ran 12 minutes')
  })
})

describe('counters', () => {
  const mesh = new Mesh([], registryClient())
  const fine: Run = () => Promise.resolve([])
  const flawed: Run = () => Promise.resolve(['two run', 'one is left'])
  const broken: Run = () => Promise.reject(new Error('no lab'))

  async function soaked(...campaigns: Partial<Campaign>[]) {
    const said: string[] = []
    const all = campaigns.map((campaign) => ({ name: 'c', trials: [fine], control: flawed, ...campaign }))
    const counters = new Counters<Mesh>(all, (text) => said.push(text))
    await counters.runControls(mesh)
    await counters.runTrials([mesh, mesh], Infinity)
    return {
      sum: counters.sum,
      isGood: counters.isGood,
      said,
      rows: counters.rows,
      isComplete: counters.isComplete,
    }
  }

  it('is good when every trial is and every control is not', async () => {
    const { sum, isGood, isComplete, rows } = await soaked({ trials: [fine, fine, fine] }, {})
    expect({ sum, isGood }).toEqual({ sum: { trials: 4, bad: 0, controlsFailed: 2 }, isGood: true })
    expect(isComplete).toBe(true)
    expect(rows[0]).toEqual({ name: 'c', planned: 3, trials: 3, bad: 0, control: 'two run' })
  })

  it('counts a trial that breaks as a bad one, and says what was wrong', async () => {
    const { sum, isGood, said } = await soaked({ trials: [fine, flawed, broken] })
    expect({ sum, isGood }).toEqual({ sum: { trials: 3, bad: 2, controlsFailed: 1 }, isGood: false })
    expect(said).toContain('bad: c: two run; one is left')
    expect(said).toContain('bad: c: the trial broke: Error: no lab')
  })

  it.each([
    ['sees nothing', fine],
    ['breaks', broken],
  ])('is not good when a control %s', async (_, control) => {
    const { sum, isGood, said } = await soaked({ control })
    expect({ sum, isGood }).toEqual({ sum: { trials: 1, bad: 0, controlsFailed: 0 }, isGood: false })
    expect(said).toContain('control of "c": NOTHING WRONG WAS SEEN')
  })

  it('tries a control again that did no harm by chance', async () => {
    let tries = 0
    const { isGood } = await soaked({ control: () => Promise.resolve(++tries < 3 ? [] : ['torn']) })
    expect(isGood).toBe(true)
  })

  it('begins nothing after its time', async () => {
    const counters = new Counters([{ name: 'c', trials: [fine], control: flawed }], () => undefined)
    await counters.runTrials([mesh], Date.now())
    expect(counters.sum.trials).toBe(0)
  })
})
