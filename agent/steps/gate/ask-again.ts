import type { StepContext } from '../step.ts'

/** One answer that is missed on a busy host is no reason to drop a check. */
export const ASK_AGAIN_MS = 5_000
const POLL_MS = 500

/** The first good answer or, after `limitMs`, the last one. */
export async function askAgain<T>(
  ask: () => Promise<T>,
  isGood: (answer: T) => boolean,
  limitMs: number,
  { clock, signal }: Pick<StepContext, 'clock' | 'signal'>,
): Promise<T> {
  const deadline = clock.now() + limitMs
  let answer = await ask()
  while (!isGood(answer) && clock.now() < deadline) {
    await clock.sleep(POLL_MS, signal)
    answer = await ask()
  }
  return answer
}
