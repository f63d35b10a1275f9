import { AgentError, type Problem } from '../core/errors.ts'
import { MAX_JOURNAL_BYTES } from '../core/journal-size.ts'
import type { Clock } from '../ports/clock.ts'
import { encodeRecord, type JournalEntry, type JournalRecord } from './record.ts'
import { applyRecord, type RunState } from './run-state.ts'

/** Appends text durably: on disk when the promise resolves. */
export interface AppendFile {
  append(text: string): Promise<void>
  close(): Promise<void>
}

/** An open run: every fact is on disk before the agent acts on it. */
export class Journal {
  readonly #file: AppendFile
  readonly #clock: Clock
  #seq: number
  #bytes: number
  #state: RunState | null
  #failure: AgentError | null = null

  /** @param bytes what the records take on disk */
  constructor(file: AppendFile, clock: Clock, records: JournalRecord[], bytes = 0) {
    this.#file = file
    this.#clock = clock
    this.#seq = records.length
    this.#bytes = bytes
    this.#state = records.reduce<RunState | null>(applyRecord, null)
  }

  get state(): RunState {
    if (this.#state === null) throw new Error('internal error: the journal does not begin with its run')
    return this.#state
  }

  /** On disk when it resolves; the next move waits for it. */
  async append(entry: JournalEntry): Promise<void> {
    if (this.#failure) throw this.#failure
    const record = this.#stamped(entry)
    const line = encodeRecord(record)
    const bytes = this.#bytes + Buffer.byteLength(line)
    if (bytes > MAX_JOURNAL_BYTES) throw full()
    await this.#file.append(line)
    this.#bytes = bytes
    this.#apply(record)
  }

  /**
   * The same on the way back, where a full disk must not prevent the restore of the old container: what
   * cannot be written is kept in memory, nothing is written after it, and the run stays open for a resume.
   */
  async note(entry: JournalEntry): Promise<void> {
    const record = this.#stamped(entry)
    try {
      await this.append(entry)
    } catch (error) {
      if (!(error instanceof AgentError)) throw error
      this.#apply(record)
      if (this.#failure) return
      this.#failure = error
      this.#apply(this.#stamped({ type: 'stopped', problem: unwritten(error) }))
    }
  }

  #stamped(entry: JournalEntry): JournalRecord {
    const stamp = {
      at: this.#clock.date().toISOString(),
      mono: this.#clock.now(),
      boot: this.#clock.bootId(),
    }
    return { v: 1, seq: this.#seq, ...stamp, ...entry }
  }

  #apply(record: JournalRecord): void {
    this.#seq += 1
    this.#state = applyRecord(this.#state, record)
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

function full(): AgentError {
  const max = `${MAX_JOURNAL_BYTES / 1024 / 1024} MB`
  return new AgentError('journal-full', `cannot write the journal: it would be larger than ${max}`, {
    fix: 'check what fills it (docs/troubleshooting.md, Journals), and settle the run by hand',
  })
}

function unwritten({ message, fix }: AgentError): Problem {
  return {
    code: 'journal-incomplete',
    severity: 'warning',
    message: `the end of this run is missing from the journal: ${message}`,
    fix: `${fix}, then run calico-agent resume`,
  }
}
