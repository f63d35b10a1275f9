import { AgentError, ExitCode } from '../errors.ts'
import {
  blocking,
  type Failure,
  type Group,
  type Halt,
  HOW_TO_RESUME,
  type Holder,
  type Limits,
  withHolder,
} from './group.ts'

/** A host that asks for a slot. */
export interface Asking {
  holder: Holder
  limits: Limits
  /** The name of the group. */
  group: string
  /** No other agent is at work on this host: a slot of another run of it is left from one that died. */
  isAlone: boolean
}

/**
 * The document with a slot for this host.
 * @throws AgentError `slot-held`, `fleet-halted` (exit 75), `fleet-host-name`
 */
export function taken(group: Group, { holder, limits, isAlone, ...asking }: Asking): Group {
  const mine = group.holders.find(({ host }) => host === holder.host)
  if (mine !== undefined) {
    if (isOtherMachine(mine, holder)) throw sameName(holder.host)
    if (mine.run === holder.run) return group
    if (!isAlone) throw held([mine], asking.group, limits)
  }
  if (group.halt !== null) throw haltedBy(group.halt, asking.group)
  const failed = blocking(group, holder.target, limits)
  // on a host that failed an operator may try again
  if (failed.length > 0 && !failed.some(({ host }) => host === holder.host))
    throw haltedAfter(failed, asking.group)
  const others = group.holders.filter((one) => one !== mine)
  if (others.length >= limits.slots) throw held(others, asking.group, limits)
  return withHolder(group, holder)
}

function isOtherMachine(one: Holder, other: Holder): boolean {
  return one.machine !== null && other.machine !== null && one.machine !== other.machine
}

function held(holders: Holder[], group: string, { slots }: Limits): AgentError {
  const who = holders.map(({ host, run, since }) => `${host} since ${withoutFraction(since)} for run ${run}`)
  const what = slots === 1 ? 'the slot' : `all ${slots} slots`
  const [first] = holders
  return new AgentError(
    'slot-held',
    `cannot start: ${what} of group ${group} ${slots === 1 ? 'is' : 'are'} held by ${who.join(', ')}`,
    {
      fix: `wait until a run ends (calico-agent upgrade --wait 1h); if ${first?.host ?? 'a host'} never comes back: calico-agent fleet release ${first?.host ?? 'HOST'}`,
      exitCode: ExitCode.deferred,
    },
  )
}

function haltedBy({ by, reason, at }: Halt, group: string): AgentError {
  return new AgentError(
    'fleet-halted',
    `cannot start: group ${group} was halted on ${by} at ${withoutFraction(at)}: ${reason}`,
    { fix: HOW_TO_RESUME, exitCode: ExitCode.deferred },
  )
}

function haltedAfter(failed: Failure[], group: string): AgentError {
  const who = failed.map(({ host, run, reason }) => `${host} (run ${run}): ${reason}`)
  const [first] = failed
  return new AgentError(
    'fleet-halted',
    `cannot start: group ${group} is halted, as ${first?.target ?? ''} failed on ${who.join('; ')}`,
    {
      fix: `ask for another target, run calico-agent upgrade on ${first?.host ?? 'that host'} until it succeeds, or let the others go on: calico-agent fleet resume`,
      exitCode: ExitCode.deferred,
    },
  )
}

function sameName(host: string): AgentError {
  return new AgentError(
    'fleet-host-name',
    `cannot start: another machine of the group is called ${host} too, and has a slot`,
    { fix: `give each host of a group a name of its own; calico-agent fleet status shows who is at work` },
  )
}

function withoutFraction(time: string): string {
  return time.replace(/\.\d+/, '')
}
