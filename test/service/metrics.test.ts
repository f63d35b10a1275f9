import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import type { FleetSummary } from '../../agent/core/fleet/view.ts'
import type { Report } from '../../agent/core/report/report.ts'
import type { StatusReport } from '../../agent/core/report/status.ts'
import { Counters } from '../../agent/service/counters.ts'
import { atStart, onConfigRead } from '../../agent/service/loop.ts'
import { type Facts, renderMetrics } from '../../agent/service/metrics.ts'
import { unstarted } from '../../agent/stories/run-report.ts'
import { codeRows, root, section, textOf } from '../docs/markdown.ts'
import { pull, RUN } from '../report/samples.ts'

const window = {
  budgetMs: 90_000,
  birdDownMs: 131,
  sessionsBackMs: 3904,
  recoveredMs: 4100,
  usedMs: 4100,
  releasedPeers: [],
}
const session = { name: 'Mesh_b', neighbor: '192.0.2.2', info: 'Established', imported: 3 }
const host = {
  node: { image: 'calico/node:v2.6.12', version: '2.6.12', state: 'running' },
  bird: [
    {
      family: 4,
      recovering: false,
      sessions: [
        { ...session, established: true },
        { ...session, established: false },
      ],
    },
  ],
  kubernetes: { node: { name: 'host-1', unschedulable: true }, uncordonPending: 'R1' },
  lastRun: null,
  unfinishedRun: null,
  problems: [],
} as unknown as StatusReport

function report(outcome: Report['outcome'], more: Partial<Report> = {}): Report {
  return { ...unstarted(outcome, null, []), run: RUN, ...more }
}

const fleet: FleetSummary = {
  group: 'rack-7',
  slots: 2,
  halted: true,
  done: 5,
  holders: [{ host: 'host-3', since: new Date(1_800_000_000_000).toISOString() }],
}

/** All there is to tell. */
function facts(): Facts {
  const counters = new Counters()
  for (const megabytes of [10, 30]) counters.event(pull(megabytes))
  counters.report(report('upgraded', { changed: true, window }), 1_800_000_000)
  const problem = { code: 'gate-failed', severity: 'error' as const, message: 'm', fix: 'f' }
  counters.report(report('rolled-back', { problems: [problem, problem] }), 1_800_000_100)
  const state = onConfigRead(atStart, { kind: 'valid', fingerprint: 'A', target: 'A', apply: 'auto' })
  return { version: '0.1.0', state, counters, host, fleet, waitedMs: 4_200 }
}

const samples = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
const names = (text: string): string[] => [
  ...new Set([...text.matchAll(/\bcalico_agent_\w+/g)].map(([name]) => name)),
]

describe('the metrics', () => {
  it('tell what was counted and what is', async () => {
    const { text, contentType } = await renderMetrics(facts())
    expect(contentType).toContain('text/plain')
    for (const sample of [
      'calico_agent_info{version="0.1.0"} 1',
      'calico_agent_state{state="idle"} 1',
      'calico_agent_state{state="held"} 0',
      'calico_agent_config_valid 1',
      'calico_agent_runs_total{outcome="upgraded"} 1',
      'calico_agent_runs_total{outcome="rolled-back"} 1',
      'calico_agent_failures_total{code="gate-failed"} 1',
      'calico_agent_last_success_timestamp_seconds 1800000000',
      'calico_agent_pull_bytes_total 30000000',
      'calico_agent_window_budget_seconds 90',
      'calico_agent_window_used_seconds 4.1',
      'calico_agent_window_bird_down_seconds 0.131',
      'calico_agent_host_seen 1',
      'calico_agent_node_info{image="calico/node:v2.6.12",version="2.6.12"} 1',
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

  it('leave out what is not known rather than call it 0', async () => {
    const { text } = await renderMetrics({
      version: '1',
      state: atStart,
      counters: new Counters(),
      host: null,
      fleet: null,
      waitedMs: null,
    })
    expect(samples(text)).toContain('calico_agent_host_seen 0')
    for (const unknown of [
      'config_valid',
      'bird_up',
      'node_unschedulable',
      'uncordon_pending',
      'unfinished_run',
      'last_success',
      'window',
      'node_info',
      'fleet',
    ])
      expect(text).not.toContain(`calico_agent_${unknown}`)
  })

  it('are as Prometheus wants them', async () => {
    expect(promtool(['check', 'metrics'], (await renderMetrics(facts())).text)).toEqual({ code: 0, said: '' })
    // The check can fail: a counter is called total.
    expect(promtool(['check', 'metrics'], '# HELP a b\n# TYPE a counter\na 1\n').code).not.toBe(0)
  })
})

describe('a pull', () => {
  it('counts what each try brings, and each image from its own beginning', () => {
    const counters = new Counters()
    for (const megabytes of [10, 40, 20, 30]) counters.event(pull(megabytes))
    counters.event({ type: 'step', index: 0, status: 'doing' })
    counters.event(pull(5))
    expect(counters.pullBytes).toBe(55e6)
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
    expect(codeRows(section(textOf('docs/service.md'), '## Alerts')).toSorted()).toEqual(alerts.toSorted())
  })

  it.each(['monitoring/alerts.yaml', 'monitoring/dashboard.json'])(
    '%s asks for metrics that there are',
    async (file) => {
      const known = names((await renderMetrics(facts())).text)
      expect(names(textOf(file)).filter((name) => !known.includes(name))).toEqual([])
    },
  )

  it('draws each metric, and the document has each', async () => {
    const known = names((await renderMetrics(facts())).text).toSorted()
    expect(names(textOf('monitoring/dashboard.json')).toSorted()).toEqual(known)
    const documented = codeRows(section(textOf('docs/service.md'), '## Metrics'))
    expect(documented.map((name) => `calico_agent_${name}`).toSorted()).toEqual(known)
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
