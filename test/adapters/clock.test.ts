import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { createClock } from '../../agent/adapters/clock.ts'
import { FakeClock } from '../fakes/clock.ts'

describe('the real clock', () => {
  const clock = createClock()

  it('counts from boot, as /proc/uptime and other processes do', () => {
    const before = clock.now()
    const other = execFileSync(process.execPath, ['-p', 'Number(process.hrtime.bigint()) / 1e6'], {
      encoding: 'utf8',
    })
    expect(Number(other)).toBeGreaterThanOrEqual(before)
    expect(Number(other)).toBeLessThanOrEqual(clock.now())
  })

  it('names the boot', () => {
    expect(clock.bootId()).toMatch(/^[0-9a-f-]{36}$/)
    expect(createClock().bootId()).toBe(clock.bootId())
  })

  it('sleeps', async () => {
    const before = clock.now()
    await clock.sleep(30)
    expect(clock.now() - before).toBeGreaterThanOrEqual(29)
  })
})

describe.each([
  ['real', () => createClock()],
  ['fake', () => new FakeClock()],
])('the %s clock', (_, create) => {
  it('rejects an aborted sleep with the reason of the signal', async () => {
    const clock = create()
    const controller = new AbortController()
    const reason = new Error('asked to stop')
    const sleep = clock.sleep(60_000, controller.signal)
    controller.abort(reason)
    await expect(sleep).rejects.toBe(reason)
    await expect(clock.sleep(1, controller.signal)).rejects.toBe(reason)
  })

  it('wakes sleepers in their order', async () => {
    const clock = create()
    const order: number[] = []
    await Promise.all([40, 5, 20].map((ms) => clock.sleep(ms).then(() => order.push(ms))))
    expect(order).toEqual([5, 20, 40])
  })
})

describe('the manual clock', () => {
  it('moves only when it is told to', async () => {
    const clock = new FakeClock({ manual: true, now: 0 })
    const woken: number[] = []
    void clock.sleep(10).then(() => woken.push(clock.now()))
    void clock.sleep(30).then(() => woken.push(clock.now()))
    await clock.advance(20)
    expect(woken).toEqual([10])
    expect(clock.now()).toBe(20)
    await clock.advance(10)
    expect(woken).toEqual([10, 30])
  })
})
