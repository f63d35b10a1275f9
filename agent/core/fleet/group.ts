/** What a host asks for when it wants a slot. */
export interface Turn {
  run: string
  /** In words, the same on every host that is to run the same. */
  target: string
}

/** A host that has a slot, and the run that it took it for. */
export interface Holder extends Turn {
  host: string
  /** Derived from machine-id(5); tells two hosts of one name apart. Null where the host has none. */
  machine: string | null
  /** Wall time of that host, ISO 8601: for people, nothing is decided by it. */
  since: string
}

/** A host that went back from a target, and why. */
export interface Failure extends Turn {
  host: string
  reason: string
  at: string
}

/** An operator's brake: nobody starts, whatever the target. */
export interface Halt {
  /** The host that it was said on. */
  by: string
  reason: string
  at: string
}

/** The way out of a halt, whoever halted. */
export const HOW_TO_RESUME = 'to continue the rollout: calico-agent fleet resume'

/** The newest target that a host took a slot for. */
interface Rollout {
  target: string
  since: string
  /** Hosts that have reached it in a turn of theirs. */
  done: number
}

/**
 * What the hosts of a group share, as one document: who is at work, who failed, and whether anybody may start. It is
 * written only as a whole and only over the version that was read, so that a halt and a take never cross.
 */
export interface Group {
  /** One more with each write: the same text again would be no write to some engines. */
  serial: number
  holders: Holder[]
  /** Oldest first. */
  failures: Failure[]
  halt: Halt | null
  rollout: Rollout | null
}

/** Of the config of the host that asks. */
export interface Limits {
  /** Hosts of the group at work at once. */
  slots: number
  /** Hosts that failed with one target before nobody starts with it. */
  stopAfter: number
}

/** What a run says about the target of its turn: why it failed, or null if it succeeded. `untouched`: nothing. */
export type TurnEnd = 'untouched' | { run: string; reason: string | null }

export const emptyGroup: Group = { serial: 0, holders: [], failures: [], halt: null, rollout: null }

/** Failures of long ago are no news; the document must stay small. */
const MAX_FAILURES = 100

/** The document with this host among those at work, for this run and no other. */
export function withHolder(group: Group, holder: Holder): Group {
  const others = group.holders.filter(({ host }) => host !== holder.host)
  const isNew = group.rollout?.target !== holder.target
  const rollout = isNew ? { target: holder.target, since: holder.since, done: 0 } : group.rollout
  return { ...group, holders: [...others, holder], rollout }
}

/** The document without this host's slot, with what its run says; null where the host has none. */
export function withoutHolder(group: Group, host: string, end: TurnEnd, at: string): Group | null {
  const mine = group.holders.find((holder) => holder.host === host)
  if (mine === undefined) return null
  const left = { ...group, holders: group.holders.filter((holder) => holder !== mine) }
  // what became of an earlier run was told in the turn of that one
  if (end === 'untouched' || end.run !== mine.run) return left
  const { run, target } = mine
  const others = group.failures.filter((one) => one.host !== host || one.target !== target)
  if (end.reason === null) return { ...left, failures: others, rollout: oneMoreDone(group.rollout, target) }
  const failures = [...others, { host, run, target, reason: end.reason, at }].slice(-MAX_FAILURES)
  return { ...left, failures }
}

function oneMoreDone(rollout: Rollout | null, target: string): Rollout | null {
  return rollout?.target === target ? { ...rollout, done: rollout.done + 1 } : rollout
}

/** The document without the slot that `host` took for `run`; null where that one has none. */
export function withoutRun(group: Group, host: string, run: string): Group | null {
  const holders = group.holders.filter((holder) => holder.host !== host || holder.run !== run)
  return holders.length === group.holders.length ? null : { ...group, holders }
}

/** Everybody may start again: also with a target that has failed. */
export function resumed(group: Group): Group {
  return { ...group, halt: null, failures: [] }
}

/** The failures that keep others from the target; none while fewer hosts than `stopAfter` have failed with it. */
export function blocking(group: Group, target: string, { stopAfter }: Pick<Limits, 'stopAfter'>): Failure[] {
  const failed = group.failures.filter((failure) => failure.target === target)
  return failed.length < stopAfter ? [] : failed
}
