import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

function bundleOf(entry: string): string {
  const out = mkdtempSync(join(tmpdir(), 'build-'))
  try {
    const argv = ['scripts/build.ts', '--entry', entry, '--out', out, '--bundle-only']
    execFileSync(process.execPath, argv, { cwd: root, stdio: 'pipe' })
    return readFileSync(join(out, 'agent.cjs'), 'utf8')
  } finally {
    rmSync(out, { recursive: true })
  }
}

describe('fault points', () => {
  const traces = ['AGENT_FAULT', 'withFaultPoints']

  it('are in a test build', () => {
    const bundle = bundleOf('test/faults/agent.ts')
    for (const trace of traces) expect(bundle).toContain(trace)
  })

  it('are not in what is shipped', () => {
    const bundle = bundleOf('agent/main.ts')
    for (const trace of traces) expect(bundle).not.toContain(trace)
  })
})
