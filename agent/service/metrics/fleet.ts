import type { FleetSummary } from '../../core/fleet/view.ts'
import type { Metric } from './metric.ts'

/** What this host sees of its group, and how long it has waited for a slot of it; `waitedMs` is null while it does not. */
export function fleetMetrics(fleet: FleetSummary | null, waitedMs: number | null): Metric[] {
  const waiting: Metric = {
    name: 'fleet_waiting_seconds',
    help: 'How long this host has waited for a slot: 0 while it does not',
    samples: [[(waitedMs ?? 0) / 1000]],
  }
  if (fleet === null) return waitedMs === null ? [] : [waiting]
  const { group, slots, halted, done, holders } = fleet
  return [
    waiting,
    {
      name: 'fleet_halted',
      help: 'Whether nobody may start: an operator halted the group, or hosts failed with its target',
      samples: [[halted ? 1 : 0, { group }]],
    },
    {
      name: 'fleet_slots',
      help: 'Hosts of the group that may be at work at once',
      samples: [[slots, { group }]],
    },
    {
      name: 'fleet_done',
      help: 'Hosts that have reached the newest target in a turn of theirs',
      samples: [[done, { group }]],
    },
    {
      name: 'fleet_slot_taken_timestamp_seconds',
      help: 'Since when a host has its slot',
      samples: holders.map(({ host, since }) => [Date.parse(since) / 1000, { group, host }]),
    },
  ]
}
