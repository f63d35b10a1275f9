import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { RUN_OUTCOMES } from '../../agent/core/report/run-figures.ts'
import { formatFor, metricsPage } from '../../agent/service/metrics/page.ts'
import { codeRows, root, section, textOf } from '../docs/markdown.ts'
import { allFacts, nothingKnown } from './facts.ts'

const page = async (facts = allFacts(), accept?: string) => await metricsPage(facts, accept)
const samples = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
const names = (text: string): string[] => [
  ...new Set([...text.matchAll(/\b(?:calico_agent|process)_\w+/g)].map(([name]) => name)),
]

describe('the metrics', () => {
  it('tell what was counted and what is', async () => {
    const { text, contentType } = await page()
    expect(contentType).toContain('text/plain')
    for (const sample of [
      'calico_agent_info{version="0.1.0"} 1',
      'calico_agent_state{state="manual"} 1',
      'calico_agent_state{state="held"} 0',
      'calico_agent_config_valid 1',
      'calico_agent_runs_total{outcome="upgraded"} 2',
      'calico_agent_runs_total{outcome="stuck"} 0',
      'calico_agent_failures_total{code="gate-failed"} 1',
      'calico_agent_last_success_timestamp_seconds 1800000000',
      'calico_agent_pull_bytes_total 30000000',
      'calico_agent_stuck_run 0',
      'calico_agent_window_budget_seconds 90',
      'calico_agent_window_used_seconds 4.1',
      'calico_agent_window_bird_down_seconds 0.131',
      'calico_agent_window_timestamp_seconds 1799999990',
      'calico_agent_host_seen 1',
      'calico_agent_node_info{image="calico/node:v2.6.12",version="2.6.12"} 1',
      'calico_agent_node_running 1',
      'calico_agent_node_unschedulable{node="host-1"} 1',
      'calico_agent_uncordon_pending 1',
      'calico_agent_unfinished_run 0',
      'calico_agent_bird_up 1',
      'calico_agent_bird_recovering{family="4"} 0',
      'calico_agent_bird_sessions{family="4",state="established"} 1',
      'calico_agent_bird_sessions{family="4",state="down"} 1',
      'calico_agent_fleet_waiting_seconds 4.2',
      'calico_agent_fleet_halted{group="rack-7"} 1',
      'calico_agent_fleet_slots{group="rack-7"} 2',
      'calico_agent_fleet_done{group="rack-7"} 5',
      'calico_agent_fleet_slot_taken_timestamp_seconds{group="rack-7",host="host-3"} 1800000000',
    ])
      expect(samples(text)).toContain(sample)
  })

  it('name a node that does not run, and say that it does not', async () => {
    const { host, ...facts } = allFacts()
    if (!host?.node) throw new Error('the facts have no node')
    const { text } = await page({ ...facts, host: { ...host, node: { ...host.node, state: 'exited' } } })
    expect(samples(text)).toContain('calico_agent_node_info{image="calico/node:v2.6.12",version="2.6.12"} 1')
    expect(samples(text)).toContain('calico_agent_node_running 0')
  })

  it('leave out what is not known rather than call it 0', async () => {
    const { text } = await page(nothingKnown)
    expect(names(samples(text).join('\n')).filter((name) => !name.startsWith('process_'))).toEqual([
      'calico_agent_info',
      'calico_agent_host_seen',
    ])
    expect(samples(text)).toContain('calico_agent_host_seen 0')
  })

  it('have each outcome that a run can have', async () => {
    const { text } = await page()
    for (const outcome of RUN_OUTCOMES)
      expect(text).toContain(`calico_agent_runs_total{outcome="${outcome}"} `)
  })

  it('measure this process', async () => {
    const { text } = await page()
    const value = (name: string) => Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1])
    expect(value('process_cpu_seconds_total')).toBeCloseTo(process.cpuUsage().user / 1e6, -1)
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(10e6)
    expect(Date.now() / 1000 - value('process_start_time_seconds')).toBeCloseTo(process.uptime(), 0)
    expect(value('process_open_fds')).toBeGreaterThan(3)
  })

  it('are as Prometheus wants them', async () => {
    expect(promtool(['check', 'metrics'], (await page()).text)).toEqual({ code: 0, said: '' })
    // The check can fail: a counter is called total.
    expect(promtool(['check', 'metrics'], '# HELP a b\n# TYPE a counter\na 1\n').code).not.toBe(0)
  })

  it('are OpenMetrics for a scraper that asks for it', async () => {
    const { text, contentType } = await page(allFacts(), 'application/openmetrics-text; version=1.0.0')
    expect(contentType).toContain('application/openmetrics-text; version=1.0.0')
    expect(text).toContain(
      '# TYPE calico_agent_runs counter\ncalico_agent_runs_total{outcome="prefetched"} 0\n',
    )
    expect(text).toMatch(/\n# EOF\n$/)
  })

  it.each<[string | undefined, string]>([
    [undefined, 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/plain', 'prometheus'],
    ['text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'prometheus'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text;q=0', 'prometheus'],
    ['application/openmetrics-text;q=0.2,text/plain', 'prometheus'],
    // Prometheus 2.42 and 3.0
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'openmetrics',
    ],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
    // telegraf wants text alone
    ['text/plain;version=0.0.4;q=1,*/*;q=0.1', 'prometheus'],
  ])('asked with Accept %s, they are %s', (accept, format) => {
    expect(formatFor(accept)).toBe(format)
  })
})

describe('monitoring/', () => {
  it('has rules that Prometheus takes, and that fire when they should', () => {
    expect(promtool(['check', 'rules', 'alerts.yaml'])).toMatchObject({ code: 0 })
    expect(promtool(['test', 'rules', 'alerts.test.yaml'])).toMatchObject({ code: 0 })
  })

  it('tests each of its alerts', () => {
    const { groups } = parseYaml(textOf('monitoring/alerts.yaml')) as {
      groups: { rules: { alert: string }[] }[]
    }
    const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
    const tests = textOf('monitoring/alerts.test.yaml')
    expect(alerts.filter((alert) => !new RegExp(`${alert}\\n +exp_alerts:\\n`).test(tests))).toEqual([])
    expect(codeRows(section(textOf('docs/metrics.md'), '## Alerts')).toSorted()).toEqual(alerts.toSorted())
  })

  it.each(['monitoring/alerts.yaml', 'monitoring/dashboard.json'])(
    '%s asks for metrics that there are',
    async (file) => {
      const known = names((await page()).text)
      expect(names(textOf(file)).filter((name) => !known.includes(name))).toEqual([])
    },
  )

  it('draws each metric, and the document has each', async () => {
    const known = names((await page()).text).toSorted()
    const drawn = names(textOf('monitoring/dashboard.json'))
    expect(known.filter((name) => name.startsWith('calico_') && !drawn.includes(name))).toEqual([])
    const documented = codeRows(section(textOf('docs/metrics.md'), '## The metrics'))
    const full = documented.map((name) => (name.startsWith('process_') ? name : `calico_agent_${name}`))
    expect(full.toSorted()).toEqual(known)
  })
})

function promtool(args: string[], input = ''): { code: number | null; said: string } {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, {
    input,
    encoding: 'utf8',
    cwd: `${root}/monitoring`,
  })
  if (error) throw error
  return { code: status, said: stdout + stderr }
}
