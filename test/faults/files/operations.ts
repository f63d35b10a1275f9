import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Journal } from '../../../agent/journal/journal.ts'
import { decodeJournal, type JournalRecord } from '../../../agent/journal/record.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { plan } from '../../journal/sample.ts'
import type { FileLibrary } from './libraries.ts'

/**
 * Operations 1, 2, 3, ... on three files: a journal, a live file that is replaced, and a file that comes and goes.
 * What the disk holds after the n-th is known from n alone, so that whoever has heard only "n is done" can judge it.
 */
const TURN = ['replace', 'append', 'create', 'remove'] as const

type Operation = 'begin' | (typeof TURN)[number]

export const NAMES = { journal: 'run.jsonl', live: 'live', parked: 'parked' }

/** The name of the n-th operation, n from 1. */
export function operationAt(n: number): Operation {
  return n === 1 ? 'begin' : (TURN[(n - 2) % TURN.length] ?? 'begin')
}

export class Operations {
  readonly #dir: string
  readonly #library: FileLibrary
  #journal: Journal | undefined

  constructor(dir: string, library: FileLibrary) {
    this.#dir = dir
    this.#library = library
  }

  async do(n: number): Promise<void> {
    const path = (name: keyof typeof NAMES): string => join(this.#dir, NAMES[name])
    switch (operationAt(n)) {
      case 'begin': {
        const file = await this.#library.openForAppend(path('journal'), 0)
        this.#journal = new Journal(file, new FakeClock(), [])
        const before = { order: n, agent: '0.1.0', plan: plan('run'), problems: [] }
        await this.#journal.append({ type: 'run', ...before })
        return
      }
      case 'append':
        await this.#journal?.append({ type: 'captured', step: 0, before: contentOf(n) })
        return
      case 'replace':
        await this.#library.writeFileAtomic(path('live'), contentOf(n))
        return
      case 'create':
        await this.#library.writeFileAtomic(path('parked'), contentOf(n))
        return
      case 'remove':
        await this.#library.removeFile(path('parked'))
    }
  }

  async close(): Promise<void> {
    await this.#journal?.close()
  }
}

/** Some pages, each of which names the operation that wrote it. */
export function contentOf(n: number): string {
  return `${n}\n`.padStart(12).repeat(1_000)
}

/** In words, what the disk holds after the n-th operation. */
export function stateAfter(n: number): string {
  const last = (operation: Operation): number => upTo(n).findLast((i) => operationAt(i) === operation) ?? 0
  return words(journaled(n), last('replace'), last('create') > last('remove') ? last('create') : 'none')
}

function upTo(n: number): number[] {
  return Array.from({ length: Math.max(n, 0) }, (_, i) => i + 1)
}

function journaled(n: number): number[] {
  return upTo(n).filter((i) => ['begin', 'append'].includes(operationAt(i)))
}

/** In the same words, what it does hold. The directory may be one that a power cut left. */
export async function stateOf(dir: string): Promise<string> {
  const [journal, live, parked] = await Promise.all(
    [NAMES.journal, NAMES.live, NAMES.parked].map((name) => textOf(join(dir, name))),
  )
  return words(recordsIn(journal ?? ''), wholeContent(live), wholeContent(parked))
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function words(records: number[] | string, live: number | string, parked: number | string): string {
  return `journal ${typeof records === 'string' ? records : inShort(records)}, live ${live}, parked ${parked}`
}

/** A list that is as it must be up to some operation is told by that one. */
function inShort(records: number[]): string {
  const last = records.at(-1) ?? 0
  const list = records.join(' ')
  return list === journaled(last).join(' ') ? `up to ${last}` : list
}

/** The operations that stand in the journal; a torn tail is none. */
function recordsIn(text: string): number[] | string {
  try {
    return decodeJournal(text, NAMES.journal).records.map(operationOf)
  } catch (error) {
    return String(error)
  }
}

function operationOf(record: JournalRecord): number {
  if (record.type === 'run') return record.order
  const written = record.type === 'captured' ? wholeContent(String(record.before)) : 'none'
  return typeof written === 'number' ? written : Number.NaN
}

function wholeContent(text: string | undefined): number | string {
  if (text === undefined) return 'none'
  const n = Number.parseInt(text, 10)
  return text === contentOf(n) ? n : `torn (${text.length} characters)`
}
