import { isStuck } from '../journal/run-state.ts'
import type { RunStore } from '../journal/store.ts'

/** Nothing is left to change on this host: a run that ended stuck needs no operator any more. */
export async function settleStuck(runs: RunStore): Promise<void> {
  const last = (await runs.history()).find(({ plan }) => plan.command !== 'prefetch')
  if (last === undefined || !isStuck(last)) return
  const journal = await runs.reopen(last.plan.run)
  try {
    await journal.append({ type: 'settled' })
  } finally {
    await journal.close()
  }
}
