import type { FleetSummary } from '../../core/fleet/view.ts'
import type { RunFigures } from '../../core/report/run-figures.ts'
import type { StatusReport } from '../../core/report/status.ts'
import { SERVICE_STATES, type ServiceState } from '../loop.ts'
import { fleetMetrics } from './fleet.ts'
import { hostMetrics } from './host.ts'
import { known, type Metric } from './metric.ts'
import { runMetrics } from './runs.ts'

const PREFIX = 'calico_agent_'

export interface Facts {
  version: string
  /** Null where no service runs. */
  state: ServiceState | null
  /** Null until the config was read. */
  configValid: boolean | null
  /** Null if a journal cannot be read. */
  runs: RunFigures | null
  /** The host as it is now; null if it cannot be observed. */
  host: StatusReport | null
  /** What this host sees of its group, if it has one. */
  fleet: FleetSummary | null
  /** How long it has waited for a slot; null while it does not wait. */
  waitedMs: number | null
}

/** What is known of this host, with names as Prometheus has them. */
export function metricsOf(facts: Facts): Metric[] {
  const { runs, host, fleet, waitedMs } = facts
  const all = [
    ...agentMetrics(facts),
    ...runMetrics(runs),
    ...hostMetrics(host),
    ...fleetMetrics(fleet, waitedMs),
  ]
  return all.map((metric) => ({ ...metric, name: PREFIX + metric.name }))
}

function agentMetrics({ version, state, configValid }: Facts): Metric[] {
  return [
    { name: 'info', help: 'The running agent', samples: [[1, { version }]] },
    {
      name: 'state',
      help: 'State of the service: 1 for the current state',
      samples: state === null ? [] : SERVICE_STATES.map((one) => [one === state ? 1 : 0, { state: one }]),
    },
    {
      name: 'config_valid',
      help: 'Whether the config file is readable and valid',
      samples: known(configValid === null ? null : Number(configValid)),
    },
  ]
}
