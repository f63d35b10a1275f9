import { describe, expect, it } from 'vitest'
import { document } from '../../scripts/soaking/document.ts'
import { upperBound } from '../../scripts/soaking/statistics.ts'

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
  it('says how many of the trials were run, and shouts when a control did not fail', () => {
    const text = document([
      { name: 'killed', planned: 300, trials: 100, bad: 1, controlFailed: true },
      { name: 'races', planned: 10, trials: 0, bad: 0, controlFailed: false },
    ])
    expect(text).toContain('| killed | 100 of 300 | 1 | 4.7 % | failed, as it must |')
    expect(text).toContain('| races | 0 of 10 | 0 | - | DID NOT FAIL |')
  })
})
