import { describe, expect, it } from 'vitest'
import { DAYS, isOpen, type MaintenanceWindow } from '../../../agent/core/fleet/windows.ts'

const HOUR = 3_600_000
const window = (more: Partial<MaintenanceWindow> = {}): MaintenanceWindow => ({
  days: ['mon', 'tue'],
  start: '02:00',
  lengthMs: 3 * HOUR,
  zone: 'UTC',
  ...more,
})
const open = (time: string, ...windows: MaintenanceWindow[]): boolean => isOpen(windows, new Date(time))

describe('a maintenance window', () => {
  it.each([
    ['2026-11-30T01:59:59Z', false],
    ['2026-11-30T02:00:00Z', true],
    ['2026-11-30T04:59:59Z', true],
    ['2026-11-30T05:00:00Z', false],
    ['2026-12-01T03:00:00Z', true],
    ['2026-12-02T03:00:00Z', false],
  ])('on Monday and Tuesday, at %s: %s', (time, expected) => {
    expect(open(time, window())).toBe(expected)
  })

  it('goes on past midnight, and past the end of the week', () => {
    const late = window({ days: ['sat'], start: '23:00', lengthMs: 4 * HOUR })
    expect(open('2026-11-29T02:59:00Z', late)).toBe(true)
    expect(open('2026-11-29T03:00:00Z', late)).toBe(false)
  })

  it('is on the clock of its zone, in summer and in winter', () => {
    const berlin = window({ days: [...DAYS], zone: 'Europe/Berlin' })
    expect(open('2026-07-01T00:30:00Z', berlin)).toBe(true)
    expect(open('2026-12-01T00:30:00Z', berlin)).toBe(false)
    expect(open('2026-12-01T01:30:00Z', berlin)).toBe(true)
  })

  it('is one of several', () => {
    const both = [window(), window({ days: ['fri'], start: '12:00' })]
    expect(open('2026-11-27T12:30:00Z', ...both)).toBe(true)
    expect(open('2026-11-27T15:30:00Z', ...both)).toBe(false)
  })

  it('of a whole week is always open', () => {
    const always = window({ days: ['wed'], lengthMs: 7 * 24 * HOUR })
    for (const day of [25, 26, 27, 28, 29, 30]) expect(open(`2026-11-${day}T13:13:00Z`, always)).toBe(true)
  })
})
