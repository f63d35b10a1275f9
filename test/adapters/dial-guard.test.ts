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
  failing: Record<string, unknown>
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

  it('says what is left where ip fails to let neighbors in again, and the way out', () => {
    const said = 'dial-guard-unavailable: cannot unblock connections from neighbors'
    const commands = (...addresses: string[]): string =>
      addresses.map((to) => `ip -4 rule del pref 179 to ${to}`).join('; ')
    expect(seen.failing).toEqual({
      'shows nothing': expect.stringMatching(
        `^${said}: Cannot open netlink socket: x; ip -[46] rule del pref 179 to ADDRESS ipproto tcp sport PORT; `,
      ) as string,
      'takes nothing away': `${said}: RTNETLINK answers: x; ${commands(
        '192.0.2.2 ipproto tcp sport 179',
        '192.0.2.3 ipproto tcp sport 1790',
      )}; ip -4 rule show lists what is left at 179`,
      'has no IPv6': ['192.0.2.2', '192.0.2.3'],
    })
  })

  it('leaves nothing behind, and the rules of others alone', () => {
    expect(seen.clean).toBe(true)
  })
})
