import { describe, expect, it } from 'vitest'
import { readThenWriteFlaws, timeToLiveFlaws } from './controls.ts'
import { CUTS } from './cuts.ts'
import { FLEET_FAULTS, fleetFlaws } from './trials.ts'

/** A network of its own needs root. */
const canCut = process.getuid?.() === 0
const faults = Object.keys(FLEET_FAULTS).filter((name) => canCut || !(name in CUTS))

describe('never more than one host at work, none after a halt, and no slot lost, where', () => {
  it.concurrent.each(faults)('%s', async (fault) => {
    expect(await fleetFlaws(fault)).toEqual([])
  })
})

describe('the trials see', () => {
  it('a lock that reads before it writes', async () => {
    expect(await readThenWriteFlaws()).not.toEqual([])
  })

  it('a lock with a time to live, and a slow host', async () => {
    expect(await timeToLiveFlaws()).not.toEqual([])
  })
})
