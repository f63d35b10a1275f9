import { AgentError, isEngineGone, type Problem } from '../../core/errors.ts'

/**
 * Puts back, or tidies away, what is there as it was before already: what fails then is left behind and told, and the host
 * is none the worse for it. A directory that turned read-only is no reason for a stuck run.
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
