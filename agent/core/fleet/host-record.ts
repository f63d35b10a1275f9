/** Where a host is in the rollout, as it last said itself. Whether it is at work is in the group's document. */
export type HostState = 'waiting' | 'done' | 'failed' | 'refused' | 'stuck'

/** What each host writes for the others to see. Times are wall times of that host, ISO 8601. */
export interface HostRecord {
  host: string
  /** Of the agent. */
  version: string
  target: string
  state: HostState
  /** The last run that this record is about. */
  run: string | null
  /** Why it failed, was refused, is stuck, or what it waits for. */
  reason: string | null
  /** It began to ask for a slot. */
  askedAt: string | null
  /** It got the slot. */
  startedAt: string | null
  endedAt: string | null
  window: { usedMs: number; birdDownMs: number | null; budgetMs: number } | null
}
