import { isCommittedRun } from '../../journal/run-state.ts'
import type { RunStore } from '../../journal/store.ts'

/** A run, as completion offers it. */
export interface PastRun {
  name: string
  about: string
  isCommitted: boolean
}

/** Newest first; none where they cannot be read: completion runs as any user. */
export async function pastRuns(runs: RunStore): Promise<PastRun[]> {
  const states = await runs.history().catch(() => [])
  return states.map((state) => ({
    name: state.plan.run,
    about: `${state.plan.command}, ${state.outcome ?? 'interrupted'}`,
    isCommitted: isCommittedRun(state),
  }))
}
