import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Report } from '../../agent/core/report/report.ts'
import { NEW, start, startProgramWorld } from './program.ts'

describe('without a file descriptor', () => {
  it('each program that cannot be started is an error by name', () => {
    const worker = join(import.meta.dirname, '../adapters/descriptors-worker.ts')
    const argv = ['--nofile=64', process.execPath, worker]
    const said = JSON.parse(execFileSync('prlimit', argv, { encoding: 'utf8' })) as Record<string, unknown>
    expect(said).toEqual({
      ...{ ip: 'no-descriptors', systemctl: 'no-descriptors', 'systemctl of the kubelet': 'no-descriptors' },
      ...{ 'look at the kubelet': 'no-descriptors', 'credential helper': 'no-descriptors' },
      ...{ plugin: 'no-descriptors', cp: 'no-descriptors', docker: 'docker-unreachable', probe: null },
    })
  })

  it.each([26, 29])('an upgrade with %i of them ends by name, in JSON', async (limit) => {
    const world = await startProgramWorld()
    const upgrade = world.argv('upgrade', '--node', NEW, '--json')
    const { code, stdout, stderr } = await start(['prlimit', `--nofile=${limit}`, ...upgrade], world.env)
      .ended
    await world.engine.close()
    expect(code, stderr).toBe(3)
    const report = JSON.parse(stdout) as Report
    expect(report).toMatchObject({ outcome: 'refused', changed: false })
    expect(report.problems.at(-1)?.code).toMatch(/no-descriptors|unreachable|unusable/)
  })
})
