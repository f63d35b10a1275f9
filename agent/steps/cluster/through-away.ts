import { isTransient } from '../../core/errors.ts'
import type { StepContext } from '../step.ts'

const POLL_MS = 500
/** What an API server that restarts may take. */
export const API_RESTART_MS = 30_000

/** Does it again while the API server is away, for as long as `limitMs`. */
export async function throughAway<T>(
  act: () => Promise<T>,
  limitMs: number,
  { clock }: Pick<StepContext, 'clock'>,
  signal?: AbortSignal,
): Promise<T> {
  const deadline = clock.now() + limitMs
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (!isTransient(error) || clock.now() > deadline) throw error
      await clock.sleep(POLL_MS, signal)
    }
  }
}
