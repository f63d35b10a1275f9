import { describe, expect, it } from 'vitest'
import { readThenWriteFlaws, timeToLiveFlaws } from './controls.ts'
import { FLEET_FAULTS, fleetFlaws } from './trials.ts'

describe('never more than one host at work, none after a halt, and no slot lost, where', () => {
  it.concurrent.each(Object.keys(FLEET_FAULTS))('%s', async (fault) => {
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
