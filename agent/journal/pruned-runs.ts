import type { Tally } from '../core/report/run-figures.ts'
import { noRuns } from './tally.ts'

/**
 * The runs whose journals are gone. The file is written before the journals are removed: after a death in between, a
 * journal whose run is in `runs` is still there, and is not counted again.
 */
export interface PrunedRuns {
  /** Names of the runs that were counted last. */
  runs: string[]
  tally: Tally
}

const FORMAT = 1

export function encodePruned({ runs, tally }: PrunedRuns): string {
  return `${JSON.stringify({ v: FORMAT, runs, tally })}\n`
}

/** Where the file is missing or damaged, counting starts over: figures stop no upgrade. */
export function decodePruned(text: string | null): PrunedRuns {
  const { v, runs, tally } = parsed(text) as { v?: unknown } & Partial<PrunedRuns>
  if (v !== FORMAT || !Array.isArray(runs) || !tally) return { runs: [], tally: noRuns }
  return { runs, tally: { ...noRuns, ...tally, runs: { ...noRuns.runs, ...tally.runs } } }
}

function parsed(text: string | null): object {
  try {
    const value: unknown = JSON.parse(text ?? 'null')
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
