import type { RunFigures } from '../core/report/run-figures.ts'
import { decodePruned, encodePruned } from './pruned-runs.ts'
import { isStuck, type RunState } from './run-state.ts'
import { counted, type RunResult, resultOf } from './tally.ts'

export interface FigureFiles {
  /** The runs whose journals are there. */
  runs(): Promise<string[]>
  /** Null if the run never began. */
  read(run: string): Promise<RunState | null>
  /** The figures of the journals that were removed; null if none were. */
  readPruned(): Promise<string | null>
  writePruned(text: string): Promise<void>
}

/** Adds up the journals that are there and those that were pruned, each once. */
export class Figures {
  readonly #files: FigureFiles
  /** Of the runs whose figures stay as they are: a service that is scraped reads each journal once. */
  readonly #results = new Map<string, RunResult>()

  constructor(files: FigureFiles) {
    this.#files = files
  }

  /** The journals are read first: one that is pruned meanwhile is counted once. */
  async sum(): Promise<RunFigures> {
    const results = (await this.#allResults()).sort((one, other) => other.order - one.order)
    const pruned = decodePruned(await this.#files.readPruned())
    const more = results.filter(({ run }) => !pruned.runs.includes(run))
    const restart = results.find(({ window }) => window !== null)
    const newest = results.find(({ command }) => command !== 'prefetch')
    return {
      ...more.reduce(counted, pruned.tally),
      window: restart?.window ?? null,
      windowAt: restart?.startedAt ?? null,
      isStuck: newest !== undefined && isStuck(newest),
    }
  }

  /** On disk when it resolves: the journals of these runs may be removed. */
  async keep(runs: RunState[]): Promise<void> {
    const before = decodePruned(await this.#files.readPruned())
    const there = await this.#files.runs()
    const left = before.runs.filter((run) => there.includes(run))
    const more = runs.map(resultOf).filter(({ run }) => !left.includes(run))
    const pruned = [...left, ...more.map(({ run }) => run)]
    await this.#files.writePruned(encodePruned({ runs: pruned, tally: more.reduce(counted, before.tally) }))
  }

  async #allResults(): Promise<RunResult[]> {
    const results: RunResult[] = []
    for (const run of await this.#files.runs()) {
      const result = this.#results.get(run) ?? (await this.#readResult(run))
      if (result) results.push(result)
    }
    return results
  }

  async #readResult(run: string): Promise<RunResult | null> {
    const state = await this.#files.read(run)
    if (state === null) return null
    const result = resultOf(state)
    if (result.outcome !== null && !isStuck(result)) this.#results.set(run, result)
    return result
  }
}
