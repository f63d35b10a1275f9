import type { FleetSummary } from '../../agent/core/fleet/view.ts'
import { RUN_OUTCOMES } from '../../agent/core/report/run-figures.ts'
import type { StatusReport } from '../../agent/core/report/status.ts'
import type { Facts } from '../../agent/service/metrics/metrics.ts'

const window = {
  ...{ budgetMs: 90_000, birdDownMs: 131, sessionsBackMs: 3904, recoveredMs: 4100 },
  ...{ usedMs: 4100, releasedPeers: [] },
}
const session = { name: 'Mesh_b', neighbor: '192.0.2.2', info: 'Established', imported: 3 }
const node = { image: 'calico/node:v2.6.12', version: '2.6.12', state: 'running' }
const sessions = [
  { ...session, established: true },
  { ...session, established: false },
]
const seen = {
  node,
  bird: [{ family: 4, recovering: false, sessions }],
  lastRun: null,
  unfinishedRun: null,
  problems: [],
}

const fleet: FleetSummary = {
  group: 'rack-7',
  slots: 2,
  halted: true,
  done: 5,
  holders: [{ host: 'host-3', since: new Date(1_800_000_000_000).toISOString() }],
}

/** All there is to tell, of a host of a cluster and of a fleet. */
export function allFacts(): Facts {
  const kubernetes = { node: { name: 'host-1', unschedulable: true }, uncordonPending: 'R1' }
  return { ...manualHost(), host: { ...seen, kubernetes } as unknown as StatusReport, fleet, waitedMs: 4_200 }
}

/** A host whose runs an operator started. */
export function manualHost(): Facts {
  const none = Object.fromEntries(RUN_OUTCOMES.map((outcome) => [outcome, 0]))
  return {
    version: '0.1.0',
    state: 'manual',
    configValid: true,
    runs: {
      runs: { ...none, upgraded: 2, 'rolled-back': 1 },
      failures: { 'gate-failed': 1 },
      pulledBytes: 30e6,
      lastSuccess: 1_800_000_000,
      window,
      windowAt: 1_799_999_990,
      isStuck: false,
    },
    host: { ...seen, kubernetes: null } as unknown as StatusReport,
    fleet: null,
    waitedMs: null,
  }
}

export const nothingKnown: Facts = {
  version: '1',
  state: null,
  configValid: null,
  runs: null,
  host: null,
  fleet: null,
  waitedMs: null,
}
