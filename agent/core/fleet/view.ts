import { blocking, type Failure, type Group, type Halt, type Limits } from './group.ts'
import type { HostRecord, HostState } from './host-record.ts'

/** `silent`: at work for longer than any run takes. `earlier`: it has last said something about another target. */
export type ViewedState = HostState | 'at-work' | 'silent' | 'earlier'

export interface HostView extends Omit<HostRecord, 'state'> {
  state: ViewedState
}

/** The rollout as it is seen from any host. */
export interface FleetView {
  group: string
  slots: number
  /** Null before the first turn. */
  target: string | null
  /** Why nobody starts; null where hosts may. */
  halted: { halt: Halt | null; failures: Failure[] } | null
  /** Hosts that run the target, of all that have ever said something. */
  done: number
  total: number
  hosts: HostView[]
}

/** What every host sees of its group at once. */
export interface FleetSummary {
  group: string
  slots: number
  halted: boolean
  /** Hosts that reached the target in a turn of theirs. */
  done: number
  holders: { host: string; since: string }[]
}

/** A run takes minutes: its images are fetched before it has its slot. */
const SILENT_AFTER_MS = 30 * 60_000

const ORDER: ViewedState[] = ['silent', 'at-work', 'stuck', 'failed', 'refused', 'waiting', 'done', 'earlier']

/** @param now of the clock that reads it: times of other hosts may be ahead of it */
export function viewOf(
  group: Group,
  records: HostRecord[],
  { name, limits, now }: { name: string; limits: Limits; now: Date },
): FleetView {
  const target = group.rollout?.target ?? null
  const known = new Map(records.map((record) => [record.host, hostView(record, target)]))
  for (const { host, run, target, since } of group.holders) {
    const state = now.getTime() - Date.parse(since) > SILENT_AFTER_MS ? 'silent' : 'at-work'
    const before = known.get(host) ?? unknownHost(host)
    known.set(host, { ...before, state, run, target, reason: null, startedAt: since, endedAt: null })
  }
  const hosts = [...known.values()].sort(
    (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || collate(a.host, b.host),
  )
  return {
    group: name,
    slots: limits.slots,
    target,
    halted: haltOf(group, target, limits),
    done: hosts.filter(({ state }) => state === 'done').length,
    total: hosts.length,
    hosts,
  }
}

export function summaryOf(group: Group, name: string, limits: Limits): FleetSummary {
  return {
    group: name,
    slots: limits.slots,
    halted: haltOf(group, group.rollout?.target ?? null, limits) !== null,
    done: group.rollout?.done ?? 0,
    holders: group.holders.map(({ host, since }) => ({ host, since })),
  }
}

function hostView(record: HostRecord, target: string | null): HostView {
  return target === null || record.target === target ? record : { ...record, state: 'earlier' }
}

function haltOf({ halt, ...group }: Group, target: string | null, limits: Limits): FleetView['halted'] {
  const failures = target === null ? [] : blocking({ halt, ...group }, target, limits)
  return halt === null && failures.length === 0 ? null : { halt, failures }
}

function unknownHost(host: string): HostView {
  const nothing = { run: null, reason: null, askedAt: null, startedAt: null, endedAt: null, window: null }
  return { host, version: '', target: '', state: 'at-work', ...nothing }
}

/** host2 before host10. */
function collate(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true })
}
