import { describe, expect, it } from 'vitest'
import type { RunState } from '../../agent/journal/run-state.ts'
import { heldTarget, targetOf, targetText } from '../../agent/stories/held-target.ts'
import { wanted } from '../core/observed.ts'

/** `upgrade A>B rolled-back gate-failed`, newest first. */
function history(...runs: string[]): RunState[] {
  return runs.map((text, i) => {
    const [command = '', change = '', outcome = '', why] = text.split(' ')
    const [from = '', to = ''] = change.split('>')
    const unwinding =
      why === undefined ? null : { code: why, severity: 'error', message: `because ${why}`, fix: '' }
    return {
      plan: { run: `run${runs.length - i}`, command, components: { node: { from, to } }, steps: [] },
      outcome,
      unwinding,
    } as unknown as RunState
  })
}

describe('heldTarget', () => {
  it.each<[string, string[], string | null]>([
    ['no run was made', [], null],
    ['it failed', ['upgrade A>B rolled-back gate-failed'], 'because gate-failed'],
    [
      'it failed, and something was pulled since',
      ['prefetch A>B prefetched', 'upgrade A>B rolled-back x'],
      'because x',
    ],
    ['a part of it failed', ['upgrade A>B partial controllers-failed'], 'because controllers-failed'],
    ['another one failed', ['upgrade A>C rolled-back gate-failed'], null],
    ['it failed, and came in by hand since', ['upgrade A>B upgraded', 'upgrade A>B rolled-back x'], null],
    ['it was refused', ['upgrade A>B refused image-not-found'], null],
    ['somebody stopped it', ['upgrade A>B rolled-back cancelled'], null],
    ['the host died in the middle', ['upgrade A>B rolled-back interrupted'], null],
    [
      'the host died in the middle twice',
      ['upgrade A>B rolled-back interrupted', 'upgrade A>B rolled-back interrupted'],
      'runs to B were interrupted 2 times in a row',
    ],
    [
      'the host died in the middle, long ago as well',
      ['upgrade A>B rolled-back interrupted', 'upgrade A>C upgraded', 'upgrade A>B rolled-back interrupted'],
      null,
    ],
    ['an operator rolled it back', ['rollback B>A rolled-back', 'upgrade A>B upgraded'], 'it rolled B back'],
    ['an operator rolled back to it', ['rollback A>B rolled-back'], null],
    ['a rollback of it failed', ['rollback B>A rolled-back gate-failed'], null],
  ])('where %s', (_, runs, reason) => {
    expect(heldTarget(history(...runs), { node: 'B' })?.reason ?? null).toBe(reason)
  })

  it('is held by a run of the same components alone', () => {
    const failed = history('upgrade A>B rolled-back gate-failed')
    expect(heldTarget(failed, { node: 'B', cni: 'D' })).not.toBeNull()
    expect(heldTarget(failed, { cni: 'B' })).toBeNull()
    expect(heldTarget(failed, {})).toBeNull()
  })

  it('holds every target of a host that is stuck', () => {
    expect(heldTarget(history('upgrade A>C stuck'), { node: 'B' })).toEqual({
      run: 'run1',
      reason: 'it is stuck',
      stuck: true,
    })
  })
})

describe('a config that is asked for', () => {
  const configMap = { keys: { veth_mtu: '1410' }, mark: 'm1' }
  const target = targetOf({ ...wanted, node: { ...wanted.node, image: null }, configMap })
  const runTo = (mark: string) => {
    const [run] = history('upgrade A>B rolled-back gate-failed')
    if (!run) throw new Error('no run')
    const change = { from: 'kube-system/calico-config', to: `hosted.configMap ${mark}` }
    return [{ ...run, plan: { ...run.plan, components: { configMap: change } } }]
  }

  it('is named once, whatever is started again with it', () => {
    expect(targetText(target)).toBe('hosted.configMap m1')
  })

  it('is held where these very keys and values failed', () => {
    expect(heldTarget(runTo('m1'), target)?.reason).toBe('because gate-failed')
    expect(heldTarget(runTo('m2'), target)).toBeNull()
  })
})
