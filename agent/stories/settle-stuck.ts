import type { Report } from '../core/report/report.ts'
import { isStuck, moves } from '../journal/run-state.ts'
import type { RunStore } from '../journal/store.ts'

/** Nothing is left to change of these components: a run of them that ended stuck needs no operator any more. */
export async function settleStuck(runs: RunStore, { components }: Pick<Report, 'components'>): Promise<void> {
  const [last] = moves(await runs.history())
  if (last === undefined || !isStuck(last)) return
  if (!Object.keys(last.plan.components).every((component) => component in components)) return
  const journal = await runs.reopen(last.plan.run)
  try {
    await journal.append({ type: 'settled' })
  } finally {
    await journal.close()
  }
}
