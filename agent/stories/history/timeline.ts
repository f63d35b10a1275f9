import type { RunTimeline, TimelineEvent, TimelineStep } from '../../core/report/history.ts'
import type { StepReport } from '../../core/report/report.ts'
import type { JournalRecord, Stamp } from '../../journal/record.ts'

type Told = Pick<RunTimeline, 'agent' | 'host' | 'steps' | 'events'>

/**
 * When each step of a run was in progress, and what happened in between. Times are ms since the run began: by the
 * monotonic clock while the host that began it is up, by the wall clock after a boot.
 */
export function timelineOf(records: JournalRecord[], steps: StepReport[]): Told {
  const [begin] = records
  if (begin?.type !== 'run') throw new Error('internal error: the journal does not begin with its run')
  const since = (record: Stamp): number => sinceBegin(begin, record)
  return {
    agent: begin.agent,
    host: begin.host?.name ?? null,
    steps: steps.map((step, index) => ({ ...step, ...spansOf(records, index, since) })),
    events: records.flatMap((record) => eventOf(record, since(record)) ?? []),
  }
}

function sinceBegin(begin: Stamp, { at, mono, boot }: Stamp): number {
  const ms = boot === begin.boot ? mono - begin.mono : Date.parse(at) - Date.parse(begin.at)
  return Math.max(0, Math.round(ms))
}

/** A step that was started again after a crash counts from its first start. */
function spansOf(
  records: JournalRecord[],
  index: number,
  since: (record: Stamp) => number,
): Pick<TimelineStep, 'beganMs' | 'endedMs' | 'undoingMs' | 'undoneMs'> {
  const first = (type: JournalRecord['type']): number | null => {
    const found = records.find((record) => record.type === type && 'step' in record && record.step === index)
    return found ? since(found) : null
  }
  return {
    beganMs: first('doing'),
    endedMs: first('verified'),
    undoingMs: first('undoing'),
    undoneMs: first('undone'),
  }
}

function eventOf(record: JournalRecord, ms: number): TimelineEvent | null {
  switch (record.type) {
    case 'run':
      return { ms, event: 'began', text: `${record.plan.command} by agent ${record.agent}` }
    case 'resumed':
      return { ms, event: 'resumed', text: 'resumed after an interruption' }
    case 'stopped':
      return { ms, event: 'stopped', text: record.problem.message }
    case 'unwinding':
      return { ms, event: 'going-back', text: record.problem.message }
    case 'uncordoned':
      return { ms, event: 'uncordoned', text: 'the API server accepted the pending uncordon' }
    case 'settled':
      return { ms, event: 'settled', text: 'an upgrade found nothing left to change' }
    case 'finished':
      return { ms, event: 'finished', text: record.outcome }
    case 'captured':
    case 'doing':
    case 'done':
    case 'verified':
    case 'undoing':
    case 'undone':
      return null
  }
}
