import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { blocks, root, textOf } from '../docs/markdown.ts'

const names = readdirSync(join(root, 'systemd'))
let directory: string

/** systemd looks for the program as well: here another one stands for it. */
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'units-'))
  for (const name of names) {
    const text = readFileSync(join(root, 'systemd', name), 'utf8')
    writeFileSync(join(directory, name), text.replaceAll('/usr/bin/calico-agent', '/bin/true'))
  }
})
afterAll(() => {
  rmSync(directory, { recursive: true })
})

function analyze(...argv: string[]): { code: number | null; said: string } {
  const { status, stdout, stderr, error } = spawnSync('systemd-analyze', argv, { encoding: 'utf8' })
  if (error) throw error
  return { code: status, said: stdout + stderr }
}

it('systemd takes each unit without a warning', () => {
  expect(analyze('verify', ...names.map((name) => join(directory, name)))).toEqual({ code: 0, said: '' })
  writeFileSync(join(directory, 'bad.service'), '[Service]\nExecStart=/bin/true\nNoSuch=1\n')
  expect(analyze('verify', join(directory, 'bad.service')).said).toContain('Unknown key')
})

it('and the drop-in for another directory of node_exporter, as the documentation has it', () => {
  const [dropIn = ''] = blocks(textOf('docs/metrics.md'), 'ini')
  const unit = join(directory, 'calico-agent-metrics.service')
  mkdirSync(`${unit}.d`)
  writeFileSync(join(`${unit}.d`, 'override.conf'), dropIn.replaceAll('/usr/bin/calico-agent', '/bin/true'))
  expect(dropIn).toContain('ExecStart=')
  expect(analyze('verify', unit)).toEqual({ code: 0, said: '' })
})

// What 0 to 10 is made of: systemd-analyze security --offline=true FILE
it.each([
  ['calico-agent.service', 3.1],
  ['calico-agent-resume.service', 3],
  ['calico-agent-metrics.service', 2.5],
])('%s is restricted as far as its job allows, to %d of 10', (name, limit) => {
  const { said } = analyze('security', '--offline=true', '--no-pager', join(directory, name))
  const score = Number(/Overall exposure level.*: (\d+\.\d)/.exec(said)?.[1])
  expect(score, said).toBeGreaterThan(0)
  expect(score).toBeLessThanOrEqual(limit)
})
