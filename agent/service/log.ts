import type { Report } from '../core/report/report.ts'
import type { Logger } from '../report/logger.ts'
import type { ConfigSnapshot, JobKind } from './loop.ts'

/** A config with the same meaning as before is not logged. */
export function logConfig(log: Logger, before: ConfigSnapshot | null, snapshot: ConfigSnapshot): void {
  if (JSON.stringify(before) === JSON.stringify(snapshot)) return
  if (snapshot.kind === 'valid') {
    const { target, apply } = snapshot
    log.info(
      { event: 'config', valid: true, target, apply },
      `config read: ${target ?? 'it names nothing to upgrade'}`,
    )
    return
  }
  for (const { message, ...problem } of snapshot.problems)
    log.error({ event: 'config', valid: false, ...problem }, `config invalid, nothing changes: ${message}`)
}

/** One line for each job that did something or could not. */
export function logJobEnd(log: Logger, kind: JobKind, report: Report, text: string): void {
  const { outcome, run, changed, window, problems } = report
  if (kind === 'resume' && outcome === 'unchanged') return
  // tried at each look; the run has warned of it
  if (kind === 'uncordon' && outcome === 'deferred') return
  const fields = { event: 'outcome', job: kind, run, outcome, changed, window, problems }
  log[levelOf(report)](fields, `${kind} ${outcome}: ${text}`)
}

function levelOf({ outcome, changed }: Report): 'info' | 'warn' | 'error' {
  if (outcome === 'deferred') return 'warn'
  const bad =
    outcome === 'stuck' ||
    outcome === 'refused' ||
    outcome === 'partial' ||
    (outcome === 'rolled-back' && !changed)
  return bad ? 'error' : 'info'
}
