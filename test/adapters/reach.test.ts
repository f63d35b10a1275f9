import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

describe('a neighbor that is gone, by a real kernel', () => {
  const worker = join(import.meta.dirname, 'reach-worker.ts')
  const { seen, kept } = JSON.parse(
    execFileSync('unshare', ['--net', process.execPath, worker], { encoding: 'utf8' }),
  ) as { seen: Record<string, string>; kept: boolean }

  it('is told from one that refuses, drops or rejects a connection', () => {
    expect(seen).toEqual({
      listens: 'accepts',
      refuses: 'refuses',
      drops: 'silent',
      rejects: 'silent',
      nobody: 'unreachable',
      behindGateway: 'silent',
      behindGoneGateway: 'unreachable',
      noRoute: 'unreachable',
      unreachableRoute: 'unreachable',
    })
  })

  it('is asked for without touching a neighbor entry that was set for good', () => {
    expect(kept).toBe(true)
  })
})
