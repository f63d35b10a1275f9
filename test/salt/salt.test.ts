import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const directory = mkdtempSync(join(tmpdir(), 'calico-agent-salt-'))

beforeAll(() => {
  const script = join(directory, 'calico-agent')
  // a resume writes its lock: not where an agent of this machine has its own
  const state = `if [ "$1" = resume ]; then set -- "$@" --state-dir '${directory}/state'; fi`
  const agent = `exec '${process.execPath}' '${join(root, 'agent/main.ts')}' "$@"`
  writeFileSync(script, `#!/bin/sh\n${state}\n${agent}\n`)
  chmodSync(script, 0o755)
})
afterAll(() => {
  rmSync(directory, { recursive: true })
})

describe('the Salt modules', () => {
  it('hold against the agent, as their own tests say', () => {
    const env = { PATH: `${directory}:${process.env['PATH'] ?? ''}`, PYTHONDONTWRITEBYTECODE: '1' }
    const said = execFileSync('python3', [join(root, 'test/salt/salt_test.py')], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    expect(said).toBe('')
  })
})
