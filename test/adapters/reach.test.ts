import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

it('tells a neighbor that is gone from one that refuses or drops a connection, by a real kernel', () => {
  const worker = join(import.meta.dirname, 'reach-worker.ts')
  const seen = execFileSync('unshare', ['--net', process.execPath, worker], { encoding: 'utf8' })
  expect(JSON.parse(seen)).toEqual({
    listens: 'accepts',
    refuses: 'refuses',
    drops: 'silent',
    nobody: 'unreachable',
    noRoute: 'unreachable',
  })
})
