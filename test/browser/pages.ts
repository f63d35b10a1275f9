import type { HostView } from '../../agent/core/fleet/view.ts'
import type { Plan, PlannedStep } from '../../agent/core/plan/plan.ts'
import type { WindowReport } from '../../agent/core/report/report.ts'
import type { JournalEntry } from '../../agent/journal/record.ts'
import { RunStore } from '../../agent/journal/store.ts'
import { fleetPage } from '../../agent/report/fleet-page.ts'
import { historyPage } from '../../agent/report/history-page.ts'
import { history, newestRun } from '../../agent/stories/history/history.ts'
import { upgrade } from '../../agent/stories/upgrade.ts'
import { doneRecord } from '../core/fleet/sample.ts'
import { wanted } from '../core/observed.ts'
import { FakeHost, type HostOptions } from '../engine/fake-host.ts'
import { FakeClock } from '../fakes/clock.ts'
import { MemoryFiles } from '../journal/memory-files.ts'
import { recordsOf, textOf } from '../journal/sample.ts'
import { appOn } from '../stories/app-on.ts'

/** A page, and the host that its title has to name. */
interface Page {
  html: string
  host: string
}

export const pages: Record<string, () => Promise<Page>> = {
  upgraded: () => upgraded({ deadPeer: true }, 'rack7-host12.example.net'),
  'rolled-back': () => upgraded({ newExitsAfter: 100 }, 'host1'),
  long: () => Promise.resolve(longRun()).then(pageOf),
  late: () => Promise.resolve(lateRun()).then(pageOf),
  fleet: () => Promise.resolve({ html: rollout(), host: 'rack7-host12.example.net' }),
}

/** The journal is the engine's, of a run on a host whose clock jumps. */
async function upgraded(options: HostOptions, name: string): Promise<Page> {
  const host = await FakeHost.create(options)
  const runs = new RunStore(new MemoryFiles(), host.clock, { machine: 'a'.repeat(32), name })
  const node = { ...wanted.node, image: 'calico/node:v2.6.12' }
  await upgrade(appOn(host, { runs }), { ...wanted, node, windowMs: 90_000, settleMs: 10_000 })
  return await pageOf({ runs, host: name })
}

async function pageOf(run: { runs: RunStore; host: string }): Promise<Page> {
  const { timeline, problems } = await history(run, await newestRun(run))
  if (timeline === null) throw new Error('no timeline')
  return { html: historyPage(timeline, problems), host: run.host }
}

const REGISTRY = 'registry.production.eu-central-1.example.com:5000/mirrors/quay.io/calico'
const DIGEST = `@sha256:${'0123456789abcdef'.repeat(4)}`

function runOf(entries: JournalEntry[], host: string) {
  const files = new MemoryFiles()
  const [first] = entries
  files.texts.set(`${first?.type === 'run' ? first.plan.run : ''}.jsonl`, textOf(recordsOf(entries)))
  return { runs: new RunStore(files, new FakeClock()), host }
}

function begin(host: string, steps: PlannedStep[], components: Plan['components']): JournalEntry {
  const plan: Plan = { run: '20261122T141503Z-7f3a', command: 'upgrade', components, steps }
  return {
    type: 'run',
    order: 1,
    agent: '0.2.0',
    plan,
    problems: [],
    host: { machine: 'a'.repeat(32), name: host },
  }
}

const window: WindowReport = {
  budgetMs: 90_000,
  birdDownMs: 131,
  sessionsBackMs: 74_904,
  recoveredMs: 88_100,
  usedMs: 88_100,
  settledMs: 98_100,
  releasedPeers: ['Mesh_192_0_2_2', 'Node_198_51_100_17', 'Global_2001_db8__17'],
}

/** Images by digest from a registry with a long name, and a failure whose reason is a paragraph. */
function longRun() {
  const image = (name: string): PlannedStep => ({
    kind: 'pull-image',
    component: 'node',
    args: { image: `${REGISTRY}/${name}${DIGEST}` },
  })
  const names = [
    'node',
    'cni',
    'kube-controllers',
    'typha',
    'pod2daemon',
    'dikastes',
    'ctl',
    'upgrade',
    'bird',
  ]
  const steps = names.map(image)
  const host = 'k8s-worker-with-a-rather-long-name-0017.rack-7.eu-central-1.example.com'
  const problem = {
    code: 'gate-failed',
    severity: 'error',
    message: `cannot keep the new container: ${REGISTRY}/node${DIGEST} exited with code 1\nits last lines are in the journal`,
    fix: `docker run --rm ${REGISTRY}/node${DIGEST} versions shows why; then run the upgrade again`,
  } as const
  const done = steps.flatMap((_, step): JournalEntry[] => [
    { type: 'doing', step },
    { type: 'verified', step, window: null, problems: [] },
  ])
  const undone = [...steps.keys()].toReversed().flatMap((step): JournalEntry[] => [
    { type: 'undoing', step },
    { type: 'undone', step, ...(step === 3 && { window }) },
  ])
  const components = {
    node: { from: `${REGISTRY}/node:v2.6.5`, to: `${REGISTRY}/node${DIGEST}` },
    cni: { from: `${REGISTRY}/cni:v1.11.2`, to: `${REGISTRY}/cni${DIGEST}` },
  }
  return runOf(
    [
      begin(host, steps, components),
      ...done,
      { type: 'resumed' },
      { type: 'unwinding', problem },
      ...undone,
      { type: 'finished', outcome: 'rolled-back' },
    ],
    host,
  )
}

/** Its window took longer than its budget. */
function lateRun() {
  const steps: PlannedStep[] = [
    { kind: 'pull-image', component: 'node', args: { image: 'calico/node:v2.6.12' } },
    { kind: 'clean-up', component: 'node', args: { containers: [], images: [] } },
  ]
  const late = { ...window, sessionsBackMs: 91_000, recoveredMs: 95_200, usedMs: 95_200, settledMs: 105_300 }
  const components = { node: { from: 'calico/node:v2.6.5', to: 'calico/node:v2.6.12' } }
  return runOf(
    [
      begin('host2', steps, components),
      { type: 'doing', step: 0 },
      { type: 'verified', step: 0, window: late, problems: [] },
      { type: 'doing', step: 1 },
    ],
    'host2',
  )
}

function rollout(): string {
  const now = new Date('2026-11-27T03:00:00Z')
  const at = (minutesAgo: number): string => new Date(now.getTime() - minutesAgo * 60_000).toISOString()
  const host = (name: string, more: Partial<HostView>): HostView => ({ ...doneRecord(name), ...more })
  const window = { usedMs: 4_100, birdDownMs: 131, budgetMs: 90_000 }
  const reason = `cannot keep the new container: no session came back within 70 s (Mesh_192_0_2_2, ${REGISTRY}/node${DIGEST})`
  const hosts = [
    host('rack7-host1', { window, askedAt: at(40), startedAt: at(32), endedAt: at(30) }),
    host('rack7-host2', { window, askedAt: at(40), startedAt: at(29), endedAt: at(26) }),
    host('rack7-host3.with-a-long-name.eu-central-1.example.com', {
      ...{ state: 'failed', reason, askedAt: at(39), startedAt: at(25), endedAt: at(20) },
    }),
    host('rack7-host4', { state: 'silent', run: '20261127T021503Z-7f3a', startedAt: at(38) }),
    host('rack7-host5', {
      state: 'at-work',
      run: '20261127T025803Z-0c11',
      askedAt: at(36),
      startedAt: at(2),
    }),
    host('rack7-host6', { state: 'waiting', askedAt: at(12) }),
    host('rack7-host7', {
      state: 'stuck',
      reason: 'no calico/node runs',
      startedAt: at(15),
      endedAt: at(11),
    }),
  ]
  const failure = { host: 'rack7-host3', run: 'run-3', target: 'v2', reason, at: at(20) }
  const halt = { by: 'rack7-host12', reason: 'storage maintenance until 4 o’clock', at: at(1) }
  return fleetPage(
    {
      ...{ group: 'rack-7', slots: 2, target: `${REGISTRY}/node:v2.6.12`, done: 2, total: 7, hosts },
      halted: { halt, failures: [failure] },
    },
    now,
    'rack7-host12.example.net',
  )
}
