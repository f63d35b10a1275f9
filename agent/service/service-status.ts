import { isError, type Problem } from '../core/errors.ts'
import type { Report } from '../core/report/report.ts'
import { pullText } from '../report/pull-text.ts'
import { type RunView, waitText } from '../report/run-view.ts'
import { clip, oneLine } from '../report/text.ts'
import type { HeldTarget } from '../stories/held-target.ts'
import { type LoopState, type ServiceState, serviceState } from './loop.ts'

/** What the service reports about itself. */
export interface ServiceStatus {
  state: LoopState
  /** The run in progress. */
  live: RunView | null
  /** Why the target is not tried again. */
  held: HeldTarget | null
  lastReport: Report | null
  /** Wall time of the next automatic try. */
  retryAt: Date | null
}

/** It is an argument of systemd-notify's, and systemctl cuts it to the width of a terminal. */
const MAX_STATUS = 500

/** One line for `systemctl status`. */
export function statusLine(account: ServiceStatus): string {
  return clip(oneLine(lineOf(account, serviceState(account.state))), MAX_STATUS)
}

function lineOf({ state, live, held, lastReport, retryAt }: ServiceStatus, now: ServiceState): string {
  const { snapshot } = state
  switch (now) {
    case 'stopping':
      return live ? `stopping; ${liveText(live)}` : 'stopping'
    case 'resuming':
      return live ? `resuming ${liveText(live)}` : 'looking for an interrupted run'
    case 'waiting':
      return waitText(state.job?.waiting ?? '')
    case 'applying':
      return live ? liveText(live) : 'comparing this host with the config'
    case 'stuck':
      return `needs repair by hand: ${heldText(held, lastReport)}; calico-agent status shows it`
    case 'config-invalid':
      return `config invalid, nothing changes: ${snapshot?.kind === 'invalid' ? first(snapshot.problems) : ''}`
    case 'retrying':
      return `next try at ${retryAt?.toISOString().slice(11, 19) ?? '?'} UTC: ${heldText(null, lastReport)}`
    case 'held':
      return `waiting for a config change or a reload: ${heldText(held, lastReport)}`
    case 'manual':
      return 'watching; apply is manual: calico-agent upgrade applies the config'
    case 'idle':
      if (snapshot?.kind !== 'valid') return 'starting'
      return snapshot.target === null
        ? 'watching; the config names nothing to upgrade'
        : `matches the config: ${snapshot.target}`
  }
}

function liveText({ run, steps, unwinding, phase, pull }: RunView): string {
  const index = steps.findLastIndex(({ status }) => status !== 'pending')
  const step = steps[unwinding === null ? index : steps.findIndex(({ status }) => status === 'undoing')]
  const at = step ? ` step ${steps.indexOf(step) + 1} of ${steps.length}, ${step.summary}` : ''
  const detail = phase ?? (pull && pullText(pull))
  return `run ${run}:${unwinding === null ? '' : ' rolling back,'}${at}${detail === null ? '' : `: ${detail}`}`
}

function heldText(held: ServiceStatus['held'], report: Report | null): string {
  if (held) return held.run === null ? held.reason : `run ${held.run}: ${held.reason}`
  return report
    ? `${report.run === null ? '' : `run ${report.run}: `}${first(report.problems)}`
    : 'reason unknown'
}

function first(problems: Problem[]): string {
  return (problems.find(isError) ?? problems[0])?.message ?? 'reason unknown'
}

/** The `service` part of /status. */
export function serviceDocument(account: ServiceStatus, version: string): object {
  const { state, live, held, lastReport, retryAt } = account
  const { snapshot } = state
  return {
    version,
    state: serviceState(state),
    text: statusLine(account),
    config: {
      valid: snapshot?.kind === 'valid',
      apply: snapshot?.kind === 'valid' ? snapshot.apply : null,
      target: snapshot?.kind === 'valid' ? snapshot.target : null,
      problems: snapshot?.kind === 'invalid' ? snapshot.problems : [],
    },
    run: live?.run ?? null,
    held,
    retryAt: retryAt?.toISOString() ?? null,
    lastReport,
  }
}
