import { AgentError } from '../core/errors.ts'

export interface Deadline {
  /** Aborted when the time is over. */
  readonly signal: AbortSignal
  /** Call it when the wait is over. */
  clear(): void
}

/**
 * A time limit. The timer of `AbortSignal.timeout` does not keep the process alive: a wait on an answer that never comes
 * would end the agent instead, with exit code 0. This one does.
 * @param ms `Infinity` for none
 */
export function startDeadline(ms: number): Deadline {
  const controller = new AbortController()
  const timer =
    ms === Infinity
      ? undefined
      : setTimeout(() => {
          controller.abort(new DOMException('time is up', 'TimeoutError'))
        }, ms)
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
