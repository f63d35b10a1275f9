import { AgentError } from '../../../agent/core/errors.ts'

/** The AgentError that a call ends in; anything else fails the test. */
export async function failureOf(work: Promise<unknown>): Promise<AgentError> {
  const outcome: unknown = await work.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  )
  if (outcome instanceof AgentError) return outcome
  throw outcome instanceof Error ? outcome : new Error('something else than an error was thrown')
}
