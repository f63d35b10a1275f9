import { describe, expect, it } from 'vitest'
import {
  flatStagedName,
  keptName,
  stagedIn,
  stagedName,
  stagingName,
  stagingRuns,
} from '../../../agent/core/cni/files.ts'

const run = '20261122T141503Z-7f3a'

describe('a staged plugin', () => {
  it('has its own name, in a hidden directory of the run', () => {
    expect(stagedName(run, 'calico')).toBe(`.calico-agent-${run}.new/calico`)
  })

  it.each([
    ['calico', stagingName(run), [stagedName(run, 'calico')]],
    ['calico', flatStagedName(run, 'calico'), [flatStagedName(run, 'calico')]],
    ['calico', flatStagedName(run, 'calico-ipam'), []],
    ['ipam', flatStagedName(run, 'calico-ipam'), []],
    ['calico', keptName(run, 'calico'), []],
    ['calico', 'calico', []],
    ['calico', '.calico-agent-x.new', []],
  ])('%s is looked for where there is %s: %s', (plugin, entry, found) => {
    expect(stagedIn([entry], plugin)).toEqual(found)
  })

  it('is of the run that its directory names', () => {
    expect(stagingRuns([stagingName(run), keptName(run, 'calico'), 'calico'])).toEqual([run])
  })
})
