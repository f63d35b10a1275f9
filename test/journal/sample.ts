import type { Plan } from '../../agent/core/plan/plan.ts'
import { encodeRecord, type JournalEntry, type JournalRecord } from '../../agent/journal/record.ts'

export const plan = (run: string, command: Plan['command'] = 'upgrade'): Plan => ({
  run,
  command,
  components: { node: { from: 'calico/node:v2.6.5', to: 'calico/node:v2.6.12' } },
  steps: [
    { kind: 'pull-image', component: 'node', args: { image: 'calico/node:v2.6.12' } },
    { kind: 'clean-up', component: 'node', args: { containers: [], images: [] } },
  ],
})

export const problem = {
  code: 'gate-failed',
  severity: 'error',
  message: 'cannot keep the new container: peer “host-é” ✗',
  fix: 'none',
} as const

/** A run with every kind of record, stamped a second apart. */
export function recordsOf(entries: JournalEntry[]): JournalRecord[] {
  return entries.map((entry, seq) => ({
    v: 1,
    seq,
    at: `2026-11-22T14:15:${10 + seq}.000Z`,
    mono: 1_000 * seq,
    boot: 'boot-1',
    ...entry,
  }))
}

export const everyKind: JournalEntry[] = [
  { type: 'run', order: 1, agent: '0.1.0', plan: plan('20261122T141503Z-7f3a'), problems: [] },
  { type: 'captured', step: 0, before: {} },
  { type: 'doing', step: 0 },
  { type: 'done', step: 0 },
  { type: 'verified', step: 0, window: null, problems: [] },
  { type: 'captured', step: 1, before: { nextId: 'abc' } },
  { type: 'doing', step: 1 },
  { type: 'resumed' },
  { type: 'unwinding', problem },
  { type: 'undoing', step: 1 },
  { type: 'undone', step: 1 },
  { type: 'finished', outcome: 'rolled-back', problem },
]

export const textOf = (records: JournalRecord[]): string => records.map(encodeRecord).join('')
