import type { AgentEvent } from '../../agent/core/events.ts'
import type { OldContainer, PlannedStep } from '../../agent/core/plan/plan.ts'
import type { Report } from '../../agent/core/report/report.ts'

export const RUN = '20261122T141503Z-7f3a'
export const FROM = 'quay.io/calico/node:v2.6.5'
export const TO = 'quay.io/calico/node:v2.6.12'

/** What must never be shown: it stands in URLs of messages, and in a container's environment. */
export const SECRET = 'hunter2'
export const SECRET_URL = `https://admin:${SECRET}@etcd.example:2379`

const old = {
  id: 'a'.repeat(64),
  name: 'calico-node',
  policy: { Name: 'always' },
  wasRunning: true,
  autoRemove: false,
  image: FROM,
  imageId: 'sha256:01',
  spec: { body: { Image: FROM, Env: [`ETCD_PASSWORD=${SECRET}`] } },
} as unknown as OldContainer

const daemon = {
  endpoint: { family: 4 as const, socket: '/var/run/calico/bird.ctl', via: 'host' as const },
  baseline: {
    lastReboot: '',
    established: [{ name: 'Mesh_b', neighbor: '192.0.2.2', imported: 3 }],
    dead: [],
  },
}
const gate = { budgetMs: 90_000, reserveMs: 20_000, settleMs: 10_000, daemons: [daemon], health: [] }
const next = { createdBy: RUN }

const STEPS: PlannedStep[] = [
  { kind: 'pull-image', component: 'node', args: { image: TO } },
  { kind: 'swap-container', component: 'node', args: { old, next, gate } },
  { kind: 'commit', component: 'node', args: { containers: [{ old, next, parkName: 'parked' }] } },
]

export function describeStep({ kind }: PlannedStep): string {
  return { 'pull-image': `pull ${TO}`, 'swap-container': 'swap calico-node', commit: 'commit calico-node' }[
    kind as string
  ] as string
}

export const begin: AgentEvent = { type: 'run', run: RUN, steps: STEPS, resumed: false }

export function pull(
  megabytes: number,
  more: { retry?: { attempt: number; reason: string } } = {},
): AgentEvent {
  const sizes = { currentBytes: megabytes * 1e6, totalBytes: 61e6, layersDone: 3, layers: 7 }
  return { type: 'pull', image: TO, ...sizes, ...more }
}

export function standing(
  phase: Extract<AgentEvent, { type: 'standing' }>['phase'],
  sinceGoneMs: number,
  more: { waitTimer?: string; unmet?: string[] } = {},
): AgentEvent {
  return { type: 'standing', phase, sinceGoneMs, waitTimer: null, unmet: [], ...more }
}

/** A run up to the moment at which the new container is looked at. */
export const swapping: AgentEvent[] = [
  begin,
  { type: 'step', index: 0, status: 'doing' },
  { type: 'step', index: 0, status: 'verifying' },
  { type: 'step', index: 0, status: 'verified', ms: 8100 },
  { type: 'step', index: 1, status: 'doing' },
  { type: 'window-open', budgetMs: 90_000 },
  { type: 'step', index: 1, status: 'verifying' },
]

export const goodEnd: AgentEvent[] = [
  { type: 'mark', mark: 'bird-up', sinceGoneMs: 131 },
  { type: 'mark', mark: 'sessions-back', sinceGoneMs: 3904 },
  { type: 'released', peers: ['Mesh_dead'] },
  { type: 'mark', mark: 'recovered', sinceGoneMs: 4100 },
  { type: 're-enabled', peers: ['Mesh_dead'] },
  { type: 'step', index: 1, status: 'verified', ms: 14_100 },
  { type: 'step', index: 2, status: 'doing' },
  { type: 'step', index: 2, status: 'verified', ms: 12 },
]

const reason = `cannot keep the new container: it exited, see ${SECRET_URL}`
export const badEnd: AgentEvent[] = [
  { type: 'step', index: 1, status: 'failed', reason },
  { type: 'unwinding', reason },
  { type: 'step', index: 1, status: 'undoing' },
  { type: 'mark', mark: 'bird-up', sinceGoneMs: 240 },
  { type: 'step', index: 1, status: 'undone' },
]

export const upgraded: Report = {
  schema: 1,
  run: RUN,
  outcome: 'upgraded',
  changed: true,
  components: { node: { from: FROM, to: TO } },
  steps: STEPS.map((step) => ({
    kind: step.kind,
    component: step.component,
    summary: describeStep(step),
    status: 'verified',
    ms: 12,
  })),
  window: {
    budgetMs: 90_000,
    birdDownMs: 131,
    sessionsBackMs: 3904,
    recoveredMs: 4100,
    usedMs: 4100,
    releasedPeers: [],
  },
  controllersDownMs: null,
  kubernetes: null,
  diff: [],
  problems: [],
}
