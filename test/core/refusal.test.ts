import { describe, expect, it } from 'vitest'
import { refusalOf } from '../../agent/core/preflight.ts'

const outcomeOf = (...codes: string[]) =>
  refusalOf(codes.map((code) => ({ code, severity: 'error' as const })))

describe('a run that may not begin', () => {
  it('is deferred where all that stands against it passes by itself', () => {
    expect(outcomeOf('peer-restarting')).toBe('deferred')
    expect(outcomeOf('peer-restarting', 'peer-down')).toBe('refused')
    expect(refusalOf([{ code: 'peer-down', severity: 'warning' }])).toBe('deferred')
  })

  it.each(['daemonset-rolling', 'pod-gone'])(
    'is deferred with %s, whatever is seen of the pod that ends',
    (code) => {
      expect(outcomeOf(code)).toBe('deferred')
      expect(outcomeOf(code, 'bird-recovering')).toBe('deferred')
      expect(outcomeOf('bird-down', code)).toBe('deferred')
    },
  )
})
