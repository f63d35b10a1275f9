import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

describe('BIRD’s routes in a real kernel', () => {
  const worker = join(import.meta.dirname, 'kernel-routes-worker.ts')
  const seen = JSON.parse(
    execFileSync('unshare', ['--net', process.execPath, worker], { encoding: 'utf8' }),
  ) as Record<'first' | 'held' | 'afterLoss' | 'learned', string[]> & { clean: boolean }
  const ways = ['via 192.0.2.2', 'via 192.0.2.3', 'blackhole', 'via 192.0.2.254']

  it('are used as ever while they are held', () => {
    expect(seen.first).toEqual(ways)
    expect(seen.held).toEqual(ways)
  })

  it('are used on when somebody takes them away, before the default route', () => {
    expect(seen.afterLoss).toEqual(ways)
  })

  it('give way to what the new BIRD learns', () => {
    expect(seen.learned[0]).toBe('via 192.0.2.9')
  })

  it('leave nothing behind', () => {
    expect(seen.clean).toBe(true)
  })
})
