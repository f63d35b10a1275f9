import type { AgentEvent, Emit } from '../core/events.ts'
import type { PlannedStep } from '../core/plan/plan.ts'
import type { Logger } from './logger.ts'
import { lookUpText, pullPace, pullText, retryText } from './pull-text.ts'
import { type EventOf, waitingText } from './run-view.ts'

/** One event, one line, its facts as fields. */
export function logEvents(logger: Logger): Emit {
  let steps: PlannedStep[] = []
  let log = logger
  const isNews = newsFilter()
  return (event) => {
    if (event.type === 'run') {
      steps = event.steps
      log = logger.child({ run: event.run })
    }
    if (!isNews(event)) return
    const [level, message] = entry(event, steps)
    log[level](fields(event, steps), message)
  }
}

/** Looks come ten a second: those that saw something new are worth a line. */
function newsFilter(): (event: AgentEvent) => boolean {
  const pullIsDue = pullPace()
  let standing = ''
  return (event) => {
    if (event.type === 'pull') return pullIsDue(event)
    if (event.type !== 'standing') return true
    const seen = JSON.stringify([event.phase, event.waitTimer, event.unmet])
    const isNew = seen !== standing
    standing = seen
    return isNew
  }
}

function entry(event: AgentEvent, steps: PlannedStep[]): ['debug' | 'info' | 'warn' | 'error', string] {
  switch (event.type) {
    case 'run':
      return ['info', `run ${event.run} ${event.resumed ? 'continues' : 'starts'}`]
    case 'step':
      return stepEntry(event, steps)
    case 'pull':
      return event.retry
        ? ['warn', `pull ${event.image}: ${retryText(event.retry)}`]
        : ['debug', `pull ${event.image}: ${pullText(event)}`]
    case 'look-up':
      return [event.retry ? 'warn' : 'info', lookUpText(event)]
    case 'window-open':
      return ['info', 'the window opens: the old BIRD is killed']
    case 'standing':
      return ['debug', `BIRD: ${event.phase}`]
    case 'mark':
      return ['info', `${event.mark} after ${Math.round(event.sinceGoneMs)} ms`]
    case 'released':
      return ['warn', `released dead peers: ${event.peers.join(', ')}`]
    case 're-enabled':
      return ['info', `enabled released peers again: ${event.peers.join(', ')}`]
    case 'let-in':
      return ['info', `may dial again: ${event.neighbors.join(', ')}`]
    case 'unwinding':
      return ['warn', `rolling back: ${event.reason}`]
    case 'waiting':
      return ['info', waitingText(event)]
    case 'problem':
      return [event.problem.severity === 'error' ? 'error' : 'warn', event.problem.message]
  }
}

function stepEntry(
  { index, status, reason }: EventOf<'step'>,
  steps: PlannedStep[],
): ReturnType<typeof entry> {
  const name = `step ${index + 1} of ${steps.length}, ${steps[index]?.kind ?? 'unknown'}`
  if (status === 'failed') return ['error', `${name}: failed: ${reason ?? 'for an unknown reason'}`]
  return [status === 'undoing' ? 'warn' : 'info', `${name}: ${status}`]
}

/** Of a planned step its name alone: its arguments hold whole containers. */
function fields({ type, ...rest }: AgentEvent, steps: PlannedStep[]): object {
  if ('steps' in rest)
    return { event: type, resumed: rest.resumed, steps: rest.steps.map(({ kind }) => kind) }
  if (!('index' in rest)) return { event: type, ...rest }
  const planned = steps[rest.index]
  return { event: type, ...rest, kind: planned?.kind, component: planned?.component }
}
