import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPrometheus } from '../../agent/adapters/prometheus.ts'
import { mayStart } from '../../agent/stories/fleet/may-start.ts'
import { refusal } from '../contract/fleet-contract.ts'
import { FakeClock } from '../fakes/clock.ts'
import { freePort } from '../lab/free-port.ts'
import { until } from '../lab/poll.ts'
import { answering } from './any-server.ts'

/** One that fires at once, and one that will only do so in an hour. */
const RULES = `groups:
  - name: test
    interval: 1s
    rules:
      - { alert: CalicoAgentDown, expr: vector(1) }
      - { alert: KubeNodeNotReady, expr: vector(1), for: 1h }
`

let directory: string
let url: string
let prometheus: ChildProcess

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prometheus-'))
  await writeFile(join(directory, 'rules.yml'), RULES)
  await writeFile(join(directory, 'prometheus.yml'), 'rule_files: [rules.yml]\n')
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  const argv = [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]
  prometheus = spawn('prometheus', argv, { stdio: 'ignore' })
  const fires = async (): Promise<boolean> => (await createPrometheus(url).firing()).length > 0
  await until('Prometheus to fire', fires, { timeoutMs: 60_000, everyMs: 250 })
})

afterAll(async () => {
  const ended = new Promise((resolve) => prometheus.once('exit', resolve))
  prometheus.kill('SIGKILL')
  await ended
  await rm(directory, { recursive: true })
})

const clock = new FakeClock()
const starting = (matching: RegExp, of = url) =>
  mayStart({ windows: undefined, blockOn: { alerts: createPrometheus(of), matching } }, clock)

describe('a real Prometheus', () => {
  it('tells which alerts fire, and not which are pending', async () => {
    expect(await createPrometheus(url).firing()).toEqual(['CalicoAgentDown'])
  })

  it('keeps a host from its start while an alert fires that the config names', async () => {
    await expect(starting(/^(KubeNodeNotReady|Calico.*)$/)).rejects.toMatchObject({
      code: 'fleet-blocked',
      exitCode: 75,
      message: 'cannot start: these alerts are firing: CalicoAgentDown',
    })
    await starting(/^KubeNodeNotReady$/)
  })

  it.each([
    ['is away', 'http://127.0.0.1:1', 'ECONNREFUSED'],
    ['is something else', '', 'and not as Prometheus does'],
  ])('that %s keeps it from its start too', async (_, where, why) => {
    await answering(200, '{"status":"fine"}', async (url) => {
      await expect(starting(/x/, where || url)).rejects.toMatchObject({
        code: 'fleet-blocked',
        exitCode: 75,
        message: expect.stringContaining(why) as string,
      })
    })
  })
})

describe('a maintenance window', () => {
  it('that is closed keeps a host from its start, and says when it opens', async () => {
    const day =
      (['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const)[(clock.date().getUTCDay() + 2) % 7] ??
      'sun'
    const windows = [{ days: [day], start: '02:00', lengthMs: 3_600_000, zone: 'UTC' }]
    expect(await refusal(mayStart({ windows, blockOn: undefined }, clock))).toEqual(['fleet-window', 75])
    await expect(mayStart({ windows, blockOn: undefined }, clock)).rejects.toMatchObject({
      message: `cannot start: no maintenance window is open: ${day} 02:00 for 60 min (UTC)`,
    })
  })

  it('is no matter where the config names none', async () => {
    await mayStart({ windows: undefined, blockOn: undefined }, clock)
  })
})
