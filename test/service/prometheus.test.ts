// A real Prometheus, with the scrape config of the documentation and the alert rules.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { parseConfig } from '../../agent/config/parse.ts'
import { type Listener, listenAtTcp } from '../../agent/service/http.ts'
import { metricsPage } from '../../agent/service/metrics/page.ts'
import { blocks, root, textOf } from '../docs/markdown.ts'
import { manualHost } from './facts.ts'

interface ScrapeConfig {
  scrape_configs: [{ job_name: string; static_configs: [{ targets: string[] }] }]
}
const [pasted = ''] = blocks(textOf('docs/metrics.md'), 'yaml').filter((text) =>
  text.includes('scrape_configs'),
)

let directory: string
let listener: Listener
let stop: () => Promise<void>
let hasEnded = false
let api: string
const accepted: (string | undefined)[] = []

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** As it is pasted, but for the address, and for how long a test can wait. */
async function startPrometheus(target: string): Promise<void> {
  const config = parse(pasted) as ScrapeConfig
  config.scrape_configs[0].static_configs[0].targets = [target]
  Object.assign(config.scrape_configs[0], { scrape_interval: '500ms', scrape_timeout: '500ms' })
  await writeFile(join(directory, 'prometheus.yml'), stringify(config))
  const port = await freePort()
  api = `http://127.0.0.1:${port}/api/v1`
  const flags = {
    'config.file': join(directory, 'prometheus.yml'),
    'storage.tsdb.path': join(directory, 'data'),
  }
  const argv = Object.entries({ ...flags, 'web.listen-address': `127.0.0.1:${port}` }).map(
    (pair) => `--${pair.join('=')}`,
  )
  const prometheus = spawn('prometheus', argv, { stdio: 'ignore' })
  const ended = new Promise((resolve) => prometheus.once('exit', resolve).once('error', resolve)).finally(
    () => {
      hasEnded = true
    },
  )
  stop = async () => {
    prometheus.kill('SIGKILL')
    await ended
  }
}

async function query(expr: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
  const response = await fetch(`${api}/query?query=${encodeURIComponent(expr)}`)
  const { status, error, data } = (await response.json()) as {
    status: string
    error?: string
    data: { result: [] }
  }
  if (status !== 'success') throw new Error(`${expr}: ${error ?? ''}`)
  return data.result
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prometheus-'))
  await writeFile(join(directory, 'alerts.yaml'), await readFile(join(root, 'monitoring/alerts.yaml')))
  const target = `127.0.0.1:${await freePort()}`
  listener = await listenAtTcp(target, {
    '/metrics': (accept) => {
      accepted.push(accept)
      return metricsPage(manualHost(), accept)
    },
  })
  await startPrometheus(target)
  // an increase needs two scrapes
  while ((await query('count_over_time(up[1m]) > 2').catch(() => [])).length === 0) {
    if (hasEnded) throw new Error('prometheus does not start')
    await sleep(100)
  }
})
afterAll(async () => {
  await stop()
  await listener.close()
  await rm(directory, { recursive: true })
})

describe('Prometheus', () => {
  it('takes the scrape config as it stands in the documentation', async () => {
    await writeFile(join(directory, 'pasted.yml'), pasted)
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'config', 'pasted.yml'], {
      cwd: directory,
      encoding: 'utf8',
    })
    expect(status, stdout + stderr).toBe(0)
    expect(stdout).toMatch(/alerts\.yaml\s+SUCCESS: \d+ rules found/)
  })

  it('finds what the agent takes for its config beside it', () => {
    const [config = ''] = blocks(textOf('docs/metrics.md'), 'yaml')
    expect(parseConfig(Buffer.from(config), 'agent.yaml').service.listen).toMatch(/:9470$/)
  })

  it('scrapes a host with it, in OpenMetrics', async () => {
    expect(await query('up{job="calico-agent"}')).toMatchObject([{ value: [expect.anything(), '1'] }])
    expect(accepted[0]).toContain('application/openmetrics-text')
    const runs = await query('calico_agent_runs_total')
    expect(runs.map(({ metric, value }) => [metric['outcome'], value[1]])).toContainEqual(['upgraded', '2'])
  })

  const { panels } = JSON.parse(textOf('monitoring/dashboard.json')) as {
    panels: { title: string; targets: { expr: string }[] }[]
  }
  it.each(panels.map(({ title, targets }) => [title, targets] as const))(
    'has something to show in the panel "%s", of a host that is upgraded by hand',
    async (_, targets) => {
      const shown = await Promise.all(targets.map(({ expr }) => query(expr.replaceAll('$instance', '.+'))))
      expect(shown.flat()).not.toEqual([])
    },
  )
})
