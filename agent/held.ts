import { isCommittedRun, type RunState } from './journal/run-state.ts'

/** Why a target is not applied by the service itself; the newest run says it. */
export interface Held {
  /** Null where the journals cannot be read. */
  run: string | null
  reason: string
  /** The run needs an operator: nothing else is applied either. */
  stuck: boolean
}

/** How often a run may be cut off before its image is held responsible: it may be what takes the host down. */
const CUT_OFF_LIMIT = 2

/**
 * Whether the newest runs speak against `image`: it failed and was rolled back, an operator rolled it back, or the
 * host or the agent died in the middle of it twice in a row. `history` is newest first.
 */
export function heldTarget(history: RunState[], image: string): Held | null {
  const runs = history.filter(({ plan }) => plan.command !== 'prefetch')
  const [last] = runs
  if (last === undefined) return null
  const { run, command, components } = last.plan
  if (last.outcome === 'stuck') return { run, reason: 'it needs an operator', stuck: true }
  if (command === 'rollback') {
    const away = isCommittedRun(last) && components.node.from === image
    return away ? { run, reason: `it rolled ${image} back`, stuck: false } : null
  }
  if (components.node.to !== image || last.outcome !== 'rolled-back') return null
  return failedWith(runs, image, run)
}

function failedWith(runs: RunState[], image: string, run: string): Held | null {
  const { unwinding } = runs[0] ?? {}
  if (unwinding?.code === 'cancelled') return null
  if (unwinding?.code !== 'interrupted')
    return { run, reason: unwinding?.message ?? 'it failed and was rolled back', stuck: false }
  const other = runs.findIndex(
    (one) => one.unwinding?.code !== 'interrupted' || one.plan.components.node.to !== image,
  )
  const cutOff = other < 0 ? runs.length : other
  return cutOff < CUT_OFF_LIMIT
    ? null
    : { run, reason: `runs to ${image} were cut off ${cutOff} times in a row`, stuck: false }
}
