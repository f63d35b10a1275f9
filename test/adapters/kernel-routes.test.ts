import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const bin = mkdtempSync(join(tmpdir(), 'ip-'))
afterAll(() => {
  rmSync(bin, { recursive: true })
})

/** The kernel's `ip`, as after a boot with `ipv6.disable=1`. */
function withoutIPv6(): string {
  const real = execFileSync('sh', ['-c', 'command -v ip'], { encoding: 'utf8' }).trim()
  const refusal = 'RTNETLINK answers: Address family not supported by protocol\nDump terminated'
  const script = `#!/bin/sh\ncase "$1" in -6) printf '${refusal}\\n' >&2; exit 255;; esac\nexec ${real} "$@"\n`
  writeFileSync(join(bin, 'ip'), script, { mode: 0o755 })
  return `${bin}:${process.env['PATH'] ?? ''}`
}

describe.each([
  ['with both families', process.env['PATH']],
  ['without IPv6', withoutIPv6()],
])('BIRD’s routes in a real kernel %s', (_, PATH) => {
  const worker = join(import.meta.dirname, 'kernel-routes-worker.ts')
  const options = { encoding: 'utf8', env: { ...process.env, PATH } } as const
  const seen = JSON.parse(execFileSync('unshare', ['--net', process.execPath, worker], options)) as Record<
    'first' | 'held' | 'afterLoss' | 'learned',
    string[]
  > & { clean: boolean }
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
