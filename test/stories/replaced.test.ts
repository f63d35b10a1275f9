import { describe, expect, it } from 'vitest'
import type { OldContainer, Plan } from '../../agent/core/plan/plan.ts'
import type { UnitChange } from '../../agent/core/unit/change.ts'
import { applyRecord, type RunState } from '../../agent/journal/run-state.ts'
import { knownContent, leftoversOf, replacedBy, replacedControllers } from '../../agent/stories/replaced.ts'
import { recordsOf } from '../journal/sample.ts'

const BIN = '/opt/cni/bin'
const nothing = {
  node: { running: null, image: null },
  controllers: { running: null, image: null },
}

/** A run that swapped calico, from this image. */
function run(name: string, { image = 'id-1', outcome = 'upgraded', files = [] as string[] } = {}): RunState {
  const args = { run: name, binDir: BIN, names: ['calico'], image: 'calico/cni:v2.0.6' }
  const plan: Plan = {
    run: name,
    command: 'upgrade',
    components: {},
    steps: [
      { kind: 'swap-binaries', component: 'cni', args },
      { kind: 'clean-up', component: 'cni', args: { containers: [], images: [], files } },
    ],
  }
  const binaries = [{ name: 'calico', sha256: `of ${image}`, previous: null }]
  const records = recordsOf([
    { type: 'run', order: 1, agent: '0.1.0', plan, problems: [] },
    { type: 'captured', step: 0, before: { image, binaries } },
    { type: 'finished', outcome: outcome as 'upgraded' },
  ])
  const state = records.reduce<RunState | null>(applyRecord, null)
  if (state === null) throw new Error('no run')
  return state
}

const kept = (name: string) => `${BIN}/.calico-agent-${name}-calico.old`

describe('leftoversOf', () => {
  it('are the plugins that committed runs kept, as far as no later one removed them', () => {
    const history = [run('R3', { files: [kept('R1')] }), run('R2', { outcome: 'stuck' }), run('R1')]
    expect(leftoversOf(history, 1, nothing).files).toEqual([kept('R3')])
  })
})

describe('what a run replaced by a unit', () => {
  const change = { unit: 'c.service' } as UnitChange
  const swapped = (committed: boolean): RunState => {
    const old = { id: 'old' } as OldContainer
    const args = { change, old, check: null, settleMs: 0 }
    const plan: Plan = {
      ...{ run: 'R1', command: 'upgrade', components: {} },
      steps: [
        { kind: 'swap-controllers-unit', component: 'controllers', args },
        { kind: 'edit-unit', component: 'controllers', args: { change } },
        { kind: 'commit', component: 'controllers', args: { containers: [] } },
      ],
    }
    const records = recordsOf([
      { type: 'run', order: 1, agent: '0.1.0', plan, problems: [] },
      ...(committed ? [{ type: 'verified' as const, step: 2 }] : []),
    ])
    const state = records.reduce<RunState | null>(applyRecord, null)
    if (state === null) throw new Error('no run')
    return state
  }

  it('are its controllers, once that is committed, and no node', () => {
    expect(replacedControllers(swapped(true))).toMatchObject({ id: 'old' })
    expect(replacedControllers(swapped(false))).toBeNull()
    expect(replacedBy(swapped(true))).toBeNull()
  })
})

describe('knownContent', () => {
  const known = knownContent([run('R2', { image: 'id-2', outcome: 'rolled-back' }), run('R1')])

  it('is what a run read out of the same image', () => {
    expect(known('id-1', ['calico'])).toEqual([{ name: 'calico', sha256: 'of id-1' }])
    expect(known('id-2', ['calico'])).toEqual([{ name: 'calico', sha256: 'of id-2' }])
  })

  it.each([
    ['id-3', ['calico']],
    ['id-1', ['calico', 'calico-ipam']],
  ])('is none for %s and %j', (image, names) => {
    expect(known(image, names)).toBeNull()
  })

  it('passes over runs that died before they knew', () => {
    const died = run('R0')
    const steps = died.steps.map(({ status, ms }) => ({ status, ms }))
    expect(knownContent([{ ...died, steps }])('id-1', ['calico'])).toBeNull()
  })
})
