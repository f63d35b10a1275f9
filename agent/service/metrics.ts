import { isError } from '../core/errors.ts'
import type { FleetSummary } from '../core/fleet/view.ts'
import type { StatusReport } from '../core/report/status.ts'
import { oneLine } from '../report/text.ts'
import type { Counters } from './counters.ts'
import { fleetMetrics } from './fleet-metrics.ts'
import { type LoopState, SERVICE_STATES, serviceState } from './loop.ts'

export interface Facts {
  version: string
  state: LoopState
  counters: Counters
  /** The host as it is now; null if it cannot be observed. */
  host: StatusReport | null
  /** What this host sees of its group, if it has one. */
  fleet: FleetSummary | null
  /** How long it has waited for a slot; null while it does not wait. */
  waitedMs: number | null
}

type Sample = [value: number, labels?: Record<string, string>]
export interface Metric {
  name: string
  help: string
  samples: Sample[]
  counter?: true
}

/** Built again for each scrape from what is known then: no label outlives what it describes. */
export async function renderMetrics(facts: Facts): Promise<{ contentType: string; text: string }> {
  // Loaded when it is needed: many hosts are never scraped.
  const { Counter, Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  for (const { name, help, samples, counter } of metricsOf(facts)) {
    const labelNames = [...new Set(samples.flatMap(([, labels = {}]) => Object.keys(labels)))]
    const options = { name: `calico_agent_${name}`, help, labelNames, registers: [registry] }
    const metric = counter ? new Counter(options) : new Gauge(options)
    for (const [value, labels = {}] of samples) metric.inc(shown(labels), value)
  }
  return { contentType: registry.contentType, text: await registry.metrics() }
}

/** Names from others, such as an image or a version, must not show a secret here either. */
function shown(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, oneLine(value)]))
}

function metricsOf(facts: Facts): Metric[] {
  const { fleet, waitedMs, host } = facts
  const all = [
    ...serviceMetrics(facts),
    ...windowMetrics(facts),
    ...hostMetrics(host),
    ...fleetMetrics(fleet, waitedMs),
  ]
  return all.filter(({ samples }) => samples.length > 0)
}

function serviceMetrics({ version, state, counters }: Facts): Metric[] {
  const now = serviceState(state)
  return [
    { name: 'info', help: 'The running agent', samples: [[1, { version }]] },
    {
      name: 'state',
      help: 'State of the service: 1 for the current state',
      samples: SERVICE_STATES.map((one) => [one === now ? 1 : 0, { state: one }]),
    },
    {
      name: 'config_valid',
      help: 'Whether the config file is readable and valid',
      samples: state.snapshot === null ? [] : [[state.snapshot.kind === 'valid' ? 1 : 0]],
    },
    {
      name: 'runs_total',
      help: 'Runs of the service by outcome',
      counter: true,
      samples: [...counters.runs].map(([outcome, count]) => [count, { outcome }]),
    },
    {
      name: 'failures_total',
      help: 'Errors that ended a run, by code',
      counter: true,
      samples: [...counters.failures].map(([code, count]) => [count, { code }]),
    },
    {
      name: 'last_success_timestamp_seconds',
      help: 'When the host last matched the config',
      samples: counters.lastSuccess === null ? [] : [[counters.lastSuccess]],
    },
    {
      name: 'pull_bytes_total',
      help: 'Bytes of image layers pulled',
      counter: true,
      samples: [[counters.pullBytes]],
    },
  ]
}

function windowMetrics({ counters: { window }, host }: Facts): Metric[] {
  const last = window ?? host?.lastRun?.window ?? null
  const seconds = (ms: number | null | undefined): Sample[] => (ms == null ? [] : [[ms / 1000]])
  return [
    {
      name: 'window_budget_seconds',
      help: 'Budget of the last window',
      samples: seconds(last?.budgetMs),
    },
    {
      name: 'window_used_seconds',
      help: 'How much of its budget the last window used',
      samples: seconds(last?.usedMs),
    },
    {
      name: 'window_bird_down_seconds',
      help: 'How long BIRD was down in the last window',
      samples: seconds(last?.birdDownMs),
    },
  ]
}

function hostMetrics(host: StatusReport | null): Metric[] {
  const { node, bird, kubernetes, unfinishedRun } = host ?? {}
  const daemons = bird ?? []
  return [
    {
      name: 'host_seen',
      help: 'Whether Docker and BIRD could be queried for this scrape',
      samples: [[host === null || host.problems.some(isError) ? 0 : 1]],
    },
    {
      name: 'node_info',
      help: 'The calico/node container: 1 while it runs',
      samples: node
        ? [[node.state === 'running' ? 1 : 0, { image: node.image, version: node.version ?? '' }]]
        : [],
    },
    {
      name: 'node_unschedulable',
      help: 'Whether the Kubernetes Node of this host is cordoned',
      samples: kubernetes?.node
        ? [[kubernetes.node.unschedulable ? 1 : 0, { node: kubernetes.node.name }]]
        : [],
    },
    {
      name: 'uncordon_pending',
      help: 'Whether a run could not uncordon the Node yet',
      samples: kubernetes ? [[kubernetes.uncordonPending === null ? 0 : 1]] : [],
    },
    {
      name: 'unfinished_run',
      help: 'Whether a run is in progress or was interrupted',
      samples: host === null ? [] : [[unfinishedRun ? 1 : 0]],
    },
    {
      name: 'bird_up',
      help: 'BIRD daemons that answer',
      samples: bird === null || bird === undefined ? [] : [[daemons.length]],
    },
    {
      name: 'bird_recovering',
      help: 'Whether a graceful-restart recovery is in progress',
      samples: daemons.map(({ family, recovering }) => [recovering ? 1 : 0, { family: String(family) }]),
    },
    {
      name: 'bird_sessions',
      help: 'BGP sessions by address family and state',
      samples: daemons.flatMap(({ family, sessions }) => {
        const up = sessions.filter(({ established }) => established).length
        return [
          [up, { family: String(family), state: 'established' }],
          [sessions.length - up, { family: String(family), state: 'down' }],
        ] satisfies Sample[]
      }),
    },
  ]
}
