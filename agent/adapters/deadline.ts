import { AgentError } from '../core/errors.ts'

export interface Deadline {
  /** Aborted when the time is over. */
  readonly signal: AbortSignal
  /** Call it when the wait is over. */
  clear(): void
}

const TICK_MS = 1_000

/**
 * A time limit. It is counted in ticks: time in which the whole host stood still, as a virtual machine that is moved, counts
 * as one of them, so that an answer that came meanwhile is read. The timer of `AbortSignal.timeout` does not keep the process
 * alive: a wait on an answer that never comes would end the agent instead, with exit code 0. This one does.
 * @param ms `Infinity` for none
 */
export function startDeadline(ms: number): Deadline {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const tick = (left: number): void => {
    if (left <= 0) controller.abort(new DOMException('time is up', 'TimeoutError'))
    else
      timer = setTimeout(
        () => {
          tick(left - TICK_MS)
        },
        Math.min(left, TICK_MS),
      )
  }
  if (ms !== Infinity) tick(ms)
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer)
    },
  }
}

/** An exchange that is given up when its time is over; the error then says so. */
export async function within<T>(ms: number, exchange: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = startDeadline(ms)
  try {
    return await exchange(deadline.signal)
  } catch (error) {
    if (error instanceof AgentError || !deadline.signal.aborted) throw error
    throw new Error(`it did not answer within ${ms / 1000} s`, { cause: error })
  } finally {
    deadline.clear()
  }
}
