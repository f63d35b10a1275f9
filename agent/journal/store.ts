import { AgentError, type Problem } from '../core/errors.ts'
import type { HostIdentity } from '../core/host-identity.ts'
import { MAX_PLAN_BYTES } from '../core/journal-size.ts'
import type { Plan } from '../core/plan/plan.ts'
import type { RunFigures } from '../core/report/run-figures.ts'
import type { Clock } from '../ports/clock.ts'
import { type FigureFiles, Figures } from './figures.ts'
import { type AppendFile, Journal } from './journal.ts'
import { decodeJournal, type JournalRecord } from './record.ts'
import { applyRecord, isCommittedRun, type RunState } from './run-state.ts'

/** The file operations that the store needs; all of them durable. */
export interface JournalFiles extends Pick<FigureFiles, 'readPruned' | 'writePruned'> {
  /** Where they are, for people. */
  directory: string
  /** Names of the journals in the directory. */
  list(): Promise<string[]>
  read(name: string): Promise<string>
  /** Opens for appending; cuts the file to `size` bytes first. Size 0 creates it, and fails if it exists. */
  open(name: string, size: number): Promise<AppendFile>
  remove(name: string): Promise<void>
}

const SUFFIX = '.jsonl'

/** The journals of all runs, one file a run, named by it. */
export class RunStore {
  /** This host; null if it was not determined. */
  readonly host: HostIdentity | null
  readonly #files: JournalFiles
  readonly #clock: Clock
  readonly #figures: Figures

  constructor(files: JournalFiles, clock: Clock, host: HostIdentity | null = null) {
    this.host = host
    this.#files = files
    this.#clock = clock
    this.#figures = new Figures({
      runs: async () => (await this.#names()).map((name) => name.slice(0, -SUFFIX.length)),
      read: (run) => this.#state(run + SUFFIX),
      readPruned: () => files.readPruned(),
      writePruned: (text) => files.writePruned(text),
    })
  }

  async begin(agent: string, plan: Plan, problems: Problem[]): Promise<Journal> {
    const [last] = await this.history()
    refuseTooLarge(plan, problems)
    const file = await this.#files.open(plan.run + SUFFIX, 0)
    const journal = new Journal(file, this.#clock, [])
    const [order, host] = [(last?.order ?? 0) + 1, this.host ?? undefined]
    await journal.append({ type: 'run', order, agent, plan, problems, ...(host && { host }) })
    return journal
  }

  /** The interrupted run, opened to continue; a torn last record is cut off. */
  async reopen(run: string): Promise<Journal> {
    const name = run + SUFFIX
    const { records, wholeBytes } = await this.#decode(name)
    return new Journal(await this.#files.open(name, wholeBytes), this.#clock, records, wholeBytes)
  }

  async #decode(name: string): Promise<ReturnType<typeof decodeJournal>> {
    return decodeJournal(await this.#files.read(name), `${this.#files.directory}/${name}`)
  }

  /** The journal's file, for people. */
  pathOf(run: string): string {
    return `${this.#files.directory}/${run}${SUFFIX}`
  }

  /** All runs, newest first. A journal without a complete first record belongs to a run that never began. */
  async history(): Promise<RunState[]> {
    const runs: RunState[] = []
    for (const name of await this.#names()) {
      const state = await this.#state(name)
      if (state) runs.push(state)
    }
    return runs.sort((one, other) => other.order - one.order)
  }

  async #names(): Promise<string[]> {
    return (await this.#files.list()).filter((name) => name.endsWith(SUFFIX))
  }

  async #state(name: string): Promise<RunState | null> {
    return (await this.#decode(name)).records.reduce<RunState | null>(applyRecord, null)
  }

  /** A run's records, as they are on disk. */
  async records(run: string): Promise<JournalRecord[]> {
    return (await this.#decode(run + SUFFIX)).records
  }

  /**
   * The oldest runs, beyond so many; the last committed one stays, for its rollback, and those that are not settled or
   * have a Node to uncordon. Prefetches are counted alone: a host that waits for its turn may make one at each try.
   */
  async beyond(keep: number): Promise<string[]> {
    return (await this.#beyond(keep)).map(({ plan }) => plan.run)
  }

  async #beyond(keep: number): Promise<RunState[]> {
    const runs = await this.history()
    const rollback = runs.find(isCommittedRun)
    const isPrefetch = ({ plan }: RunState): boolean => plan.command === 'prefetch'
    const kinds = [runs.filter(isPrefetch), runs.filter((run) => !isPrefetch(run))]
    const newest = kinds.flatMap((kind) => kind.slice(0, keep))
    return runs
      .filter((run) => !newest.includes(run))
      .filter((run) => run !== rollback && run.outcome !== null && !run.uncordonPending)
  }

  /** Removes their journals, once their figures are on disk; returns their names. */
  async prune(keep: number): Promise<string[]> {
    const runs = await this.#beyond(keep)
    if (runs.length > 0) await this.#figures.keep(runs)
    const names = runs.map(({ plan }) => plan.run)
    for (const run of names) await this.#files.remove(run + SUFFIX)
    return names
  }

  /** What the runs come to, those without a journal included. */
  figures(): Promise<RunFigures> {
    return this.#figures.sum()
  }
}

/** Before anything is moved, and on disk: a container's labels and variables may be of any size. */
function refuseTooLarge(plan: Plan, problems: Problem[]): void {
  const bytes = Buffer.byteLength(JSON.stringify({ plan, problems }))
  if (bytes <= MAX_PLAN_BYTES) return
  const [size, max] = [bytes, MAX_PLAN_BYTES].map((count) => `${(count / 1024 / 1024).toFixed(1)} MB`)
  throw new AgentError(
    'plan-too-large',
    `cannot journal run ${plan.run}: its plan has ${size}, and the limit is ${max}`,
    {
      fix: 'find large labels and variables with docker inspect, and recreate the container without them',
    },
  )
}

/** `20261122T141503Z-7f3a`: sorts by time, unique on a host. `random` is four hex digits. */
export function runName(date: Date, random: string): string {
  return `${date.toISOString().replace(/[-:]|\.\d+/g, '')}-${random}`
}
