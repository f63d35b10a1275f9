import { setTimeout as pause } from 'node:timers/promises'
import { AgentError } from '../../agent/core/errors.ts'

/** As the service tries again, for as long as the engine is away or too busy to answer in time. */
export async function persistently<T>(call: () => Promise<T>, everyMs = 200): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof AgentError && error.isTransient)) throw error
      // nobody waits for it once the engine is gone for good
      await pause(everyMs, undefined, { ref: false })
    }
  }
}
