import { describe, expect, it } from 'vitest'
import type { StepStatus } from '../../agent/core/events.ts'
import type { Component, PlannedStep } from '../../agent/core/plan/plan.ts'
import { isAnySettled, isForwardOnly, isSettled, lastCommit } from '../../agent/journal/commits.ts'

const pull = (component: Component): PlannedStep => ({ kind: 'pull-image', component, args: { image: 'i' } })
const commit = (...parts: Component[]): PlannedStep => ({
  ...{ kind: 'commit', component: parts[0] ?? 'node' },
  args: { containers: [], ...(parts.length > 0 && { parts }) },
})
const doing = { at: '', mono: 0, boot: 'b' }

/** A run whose steps are where `statuses` say; those that are left out have not begun. */
function run(steps: PlannedStep[], statuses: StepStatus[], unwoundCommit: number | null = null) {
  const states = steps.map((_, i) => {
    const status = statuses[i] ?? 'pending'
    return { status, ms: 0, ...(status !== 'pending' && { doing }) }
  })
  const plan = { run: 'R', command: 'upgrade' as const, components: {}, steps }
  return { plan, steps: states, unwoundCommit }
}

const two = [pull('node'), pull('controllers'), commit('node'), pull('controllers'), commit('controllers')]
const one = [pull('node'), commit()]

describe('a run with two commits', () => {
  it.each<[string, StepStatus[], boolean, boolean, boolean]>([
    ['before the first', ['verified', 'verified'], false, false, false],
    ['in the first', ['verified', 'verified', 'doing'], false, false, true],
    ['between them', ['verified', 'verified', 'verified'], true, false, false],
    ['behind the first', ['verified', 'verified', 'verified', 'doing'], true, false, false],
    ['in the second', ['verified', 'verified', 'verified', 'verified', 'doing'], true, false, true],
    ['at its end', ['verified', 'verified', 'verified', 'verified', 'verified'], true, true, true],
  ])('%s', (_, statuses, node, controllers, forward) => {
    const state = run(two, statuses)
    expect([isSettled(state, 'node'), isSettled(state, 'controllers'), isForwardOnly(state)]).toEqual([
      ...[node, controllers, forward],
    ])
    expect(isAnySettled(state)).toBe(node || controllers)
  })

  it('keeps the first where the second does not stand after all', () => {
    const state = run(two, ['verified', 'verified', 'verified', 'verified', 'verified'], 4)
    expect([isSettled(state, 'node'), isSettled(state, 'controllers')]).toEqual([true, false])
  })
})

describe('a run with one commit, as all were before', () => {
  it('settles all of it', () => {
    expect(isSettled(run(one, ['verified', 'doing']), 'cni')).toBe(false)
    expect(isSettled(run(one, ['verified', 'verified']), 'cni')).toBe(true)
    expect(isForwardOnly(run(one, ['verified', 'doing']))).toBe(true)
  })

  it('knows which commit it is in', () => {
    expect(lastCommit(run(one, ['verified']))).toBeUndefined()
    expect(lastCommit(run(one, ['verified', 'doing']))).toBe(1)
  })
})
