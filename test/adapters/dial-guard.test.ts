import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EXPECTED } from '../contract/dial-guard-contract.ts'

interface Seen {
  seen: Record<string, string[]>
  own: boolean[]
  overruled: string
  filtered: string
  usable: string
  withoutIp: string[]
  clean: boolean
}

describe('neighbors’ dialling in a real kernel', () => {
  const worker = join(import.meta.dirname, 'dial-guard-worker.ts')
  const seen = JSON.parse(
    execFileSync('unshare', ['--net', process.execPath, worker], { encoding: 'utf8' }),
  ) as Seen

  it('keeps the contract', () => {
    expect(seen.seen).toEqual(EXPECTED)
  })

  it('lets this host’s own dialling through, and its answers past a strict reverse path filter', () => {
    expect(seen.own).toEqual([true, true, true, true])
  })

  it('is not taken for usable where another rule wins, or the answers would be filtered', () => {
    expect([seen.overruled, seen.filtered, seen.usable]).toEqual([
      'dial-guard-unavailable',
      'dial-guard-unavailable',
      'none',
    ])
  })

  it('names what is missing where there is no iproute2', () => {
    expect(seen.withoutIp).toEqual(['dial-guard-unavailable', 'dial-guard-unavailable', 'none'])
  })

  it('leaves nothing behind, and the rules of others alone', () => {
    expect(seen.clean).toBe(true)
  })
})
