// A real Prometheus, with the scrape config of the documentation and the alert rules.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { parseConfig } from '../../agent/config/parse.ts'
import { RunStore } from '../../agent/journal/store.ts'
import { type Listener, listenAtTcp, type Pages } from '../../agent/service/http.ts'
import { exposition } from '../../agent/service/metrics/exposition.ts'
import { type Facts, metricsOf } from '../../agent/service/metrics/metrics.ts'
import { metricsPage } from '../../agent/service/metrics/page.ts'
import { blocks, root, textOf } from '../docs/markdown.ts'
import { FakeClock } from '../fakes/clock.ts'
import { MemoryFiles } from '../journal/memory-files.ts'
import { plan } from '../journal/sample.ts'
import { freePort } from '../lab/free-port.ts'
import { allFacts, manualHost } from './facts.ts'

interface ScrapeConfig {
  scrape_configs: [{ job_name: string; static_configs: [{ targets: string[] }] }]
}
const [pasted = ''] = blocks(textOf('docs/metrics.md'), 'yaml').filter((text) =>
  text.includes('scrape_configs'),
)

let directory: string
/** By what they are; `manual` is a host that is upgraded by hand. */
const listeners: Record<string, Listener & { target: string }> = {}
let stop: () => Promise<void>
let hasEnded = false
let api: string
const accepted: (string | undefined)[] = []

async function serve(host: string, page: Pages[string]): Promise<void> {
  const target = `127.0.0.1:${await freePort()}`
  listeners[host] = { ...(await listenAtTcp(target, { '/metrics': page })), target }
}

/** A run by hand that ended stuck, and a prefetch since. */
async function stuckByHand(): Promise<Facts> {
  const store = new RunStore(new MemoryFiles(), new FakeClock())
  for (const [command, outcome] of [
    ['upgrade', 'stuck'],
    ['prefetch', 'prefetched'],
  ] as const) {
    const journal = await store.begin('0.1.0', plan(command, command), [])
    await journal.append({ type: 'finished', outcome })
    await journal.close()
  }
  return { ...manualHost(), runs: await store.figures() }
}

/** As it is pasted, but for the addresses, and for how long a test can wait. */
async function startPrometheus(): Promise<void> {
  const config = parse(pasted) as ScrapeConfig
  config.scrape_configs[0].static_configs[0].targets = Object.values(listeners).map(({ target }) => target)
  Object.assign(config.scrape_configs[0], { scrape_interval: '1s', scrape_timeout: '1s' })
  Object.assign(config, { global: { evaluation_interval: '500ms' } })
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

const targetOf = (host: string): string => listeners[host]?.target ?? ''

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prometheus-'))
  await writeFile(join(directory, 'alerts.yaml'), await readFile(join(root, 'monitoring/alerts.yaml')))
  await serve('manual', (accept) => {
    accepted.push(accept)
    return metricsPage(manualHost(), accept)
  })
  await serve('fleet', (accept) => metricsPage(allFacts(), accept))
  const stuck = await stuckByHand()
  await serve('stuck', (accept) => metricsPage(stuck, accept))
  // what node_exporter passes on of the file, where no service runs
  await serve('textfile', async () => {
    return { status: 200, ...(await exposition(metricsOf({ ...stuck, state: null }), 'prometheus')) }
  })
  await startPrometheus()
  // an increase needs two scrapes
  while ((await query('sum_over_time(up[1m]) > 2').catch(() => [])).length < Object.keys(listeners).length) {
    if (hasEnded) throw new Error('prometheus does not start')
    await sleep(100)
  }
})
afterAll(async () => {
  await stop()
  for (const listener of Object.values(listeners)) await listener.close()
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
    const instance = `instance="${targetOf('manual')}"`
    const up = await query(`up{job="calico-agent", ${instance}}`)
    expect(up).toMatchObject([{ value: [expect.anything(), '1'] }])
    expect(accepted[0]).toContain('application/openmetrics-text')
    const runs = await query(`calico_agent_runs_total{${instance}}`)
    expect(runs.map(({ metric, value }) => [metric['outcome'], value[1]])).toContainEqual(['upgraded', '2'])
  })

  it('alerts of a run that ended stuck, whoever ran it, and with both ways to Prometheus', async () => {
    const firing = async (): Promise<string[]> =>
      (await query('ALERTS{alertname="CalicoAgentStuck"}'))
        .map(({ metric }) => metric['instance'] ?? '')
        .toSorted()
    await expect.poll(firing).toEqual([targetOf('stuck'), targetOf('textfile')].toSorted())
  })

  const { panels } = JSON.parse(textOf('monitoring/dashboard.json')) as {
    panels: { title: string; targets: { expr: string }[] }[]
  }
  const cases = panels.map(({ title, targets }) => [title, targets] as const)
  it.each(cases)(
    'has something to show in the panel "%s", of a host that is upgraded by hand',
    async (_, targets) => {
      const shown = await Promise.all(
        targets.map(({ expr }) => query(expr.replaceAll('$instance', targetOf('manual')))),
      )
      expect(shown.flat()).not.toEqual([])
    },
  )

  it.each(cases)('draws no 0 of nobody in the panel "%s", beside what hosts have', async (_, targets) => {
    for (const { expr } of targets) {
      const shown = (await query(expr.replaceAll('$instance', '.+'))).map(({ metric }) => metric)
      if (shown.some((labels) => Object.keys(labels).length > 0)) expect(shown, expr).not.toContainEqual({})
    }
  })
})
