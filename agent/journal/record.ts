import { crc32 } from 'node:zlib'
import { AgentError, ExitCode, type Problem } from '../core/errors.ts'
import type { HostIdentity } from '../core/host-identity.ts'
import type { Plan } from '../core/plan/plan.ts'
import { isStepKind } from '../core/plan/step-kinds.ts'
import type { Outcome, WindowReport } from '../core/report/report.ts'

/** What a run writes down, in this order; "doing" means maybe done. */
export type JournalEntry =
  /**
   * `order` counts the runs of this host: names hold the wall clock, and clocks are set back. A journal of an earlier
   * version has no `host`.
   */
  | { type: 'run'; order: number; agent: string; plan: Plan; problems: Problem[]; host?: HostIdentity }
  | { type: 'captured'; step: number; before: unknown }
  | { type: 'doing'; step: number }
  | { type: 'done'; step: number }
  | ({ type: 'verified'; step: number } & Result)
  /** `commit`: the step of a commit that did not take effect, and is undone with what it settled. */
  | { type: 'unwinding'; problem: Problem; commit?: number }
  | { type: 'undoing'; step: number }
  | ({ type: 'undone'; step: number } & Result)
  | { type: 'resumed' }
  /** The agent could not continue; the run stays open, and a resume continues it. */
  | { type: 'stopped'; problem: Problem }
  | { type: 'finished'; outcome: Outcome; problem?: Problem }
  /** After the end: the API server has accepted the pending uncordon. */
  | { type: 'uncordoned' }
  /** After the end of a stuck run: its host was settled by hand, as an upgrade found nothing left to change. */
  | { type: 'settled' }

/** The result of a step, see StepResult. */
interface Result {
  window?: WindowReport | null
  downMs?: number
  problems?: Problem[]
  uncordonPending?: true
  pulledBytes?: number
}

/** The clocks of the moment: monotonic ms are comparable within one boot. */
export interface Stamp {
  at: string
  mono: number
  boot: string
}

export type JournalRecord = { v: 1; seq: number } & Stamp & JournalEntry

const FORMAT: number = 1

/** One line: the record and the CRC-32 of the record. */
export function encodeRecord(record: JournalRecord): string {
  const json = JSON.stringify(record)
  return `${checksum(json)} ${json}\n`
}

/**
 * The records of a journal's text. A torn last line is the mark of a crash in the middle of a write, whose caller
 * never continued: it is dropped. Any other damage throws `AgentError('journal-damaged')`.
 */
export function decodeJournal(text: string, file: string): { records: JournalRecord[]; wholeBytes: number } {
  const lines = text.split('\n')
  const tail = lines.pop() ?? ''
  const records = lines.map((line, i) => decodeLine(line, i, file))
  const unknown = unknownIn(records)
  if (unknown !== null) throw newer(file, records[0], unknown)
  // A whole record and one more character: its line was written to the end, so it was acted on.
  if (checksum(tail.slice(9, -1)) === tail.slice(0, 8))
    throw damaged(file, lines.length, 'its end is malformed')
  return { records, wholeBytes: Buffer.byteLength(text) - Buffer.byteLength(tail) }
}

function decodeLine(line: string, index: number, file: string): JournalRecord {
  const json = line.slice(9)
  if (line[8] !== ' ' || checksum(json) !== line.slice(0, 8))
    throw damaged(file, index, 'its checksum is wrong')
  const record = JSON.parse(json) as JournalRecord
  const version: number = record.v
  if (version > FORMAT)
    throw newer(file, record, `its format version is ${version}, and this agent supports ${FORMAT}`)
  if (version !== FORMAT) throw damaged(file, index, `its format version is ${version}`)
  if (record.seq !== index) throw damaged(file, index, `it is record ${record.seq}`)
  return record
}

/** What only a newer agent writes, as text; null if there is none. */
function unknownIn(records: JournalRecord[]): string | null {
  for (const record of records) {
    if (!Object.hasOwn(TYPES, record.type)) return `this agent does not know the record "${record.type}"`
    if (record.type !== 'run') continue
    const step = record.plan.steps.find(({ kind }) => !isStepKind(kind))
    if (step) return `this agent does not know the step "${step.kind}"`
  }
  return null
}

const TYPES: Record<JournalEntry['type'], true> = {
  run: true,
  captured: true,
  doing: true,
  done: true,
  verified: true,
  unwinding: true,
  undoing: true,
  undone: true,
  resumed: true,
  stopped: true,
  finished: true,
  uncordoned: true,
  settled: true,
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}

function damaged(file: string, index: number, why: string): AgentError {
  return new AgentError('journal-damaged', `cannot read the journal ${file}: line ${index + 1}: ${why}`, {
    fix: `check the containers with docker ps -a, start the right one, then move ${file} away`,
    exitCode: ExitCode.stuck,
  })
}

/** `first` is the record that names the agent. */
function newer(file: string, first: JournalRecord | undefined, why: string): AgentError {
  const writer = first?.type === 'run' ? `agent ${first.agent}` : 'a newer agent'
  return new AgentError(
    'journal-newer',
    `cannot read the journal ${file}: it was written by ${writer}: ${why}`,
    {
      fix: `install ${writer}, or a later one, and run the command again`,
    },
  )
}
