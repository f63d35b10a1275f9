import { AgentError, isEngineGone, type Problem } from '../../core/errors.ts'

/**
 * Restores, or removes, leftovers when the live files are already as before: a failure leaves them behind with a warning,
 * and does no harm. A directory that became read-only is no reason for a stuck run.
 */
export async function orLeftover(
  putBack: () => Promise<void>,
  { what, isBack }: { what: string; isBack: () => Promise<boolean> },
): Promise<Problem[]> {
  try {
    await putBack()
    return []
  } catch (error) {
    if (!(error instanceof AgentError) || isEngineGone(error) || !(await isBack())) throw error
    const fix = `${error.fix}; then remove it by hand`
    return [
      { code: 'leftover', severity: 'warning', message: `${what} was not removed: ${error.message}`, fix },
    ]
  }
}
