import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openForAppend, removeFile, writeFileAtomic } from '../../../agent/adapters/atomic-file.ts'
import { Journal } from '../../../agent/journal/journal.ts'
import { decodeJournal } from '../../../agent/journal/record.ts'
import { FakeClock } from '../../fakes/clock.ts'
import type { LibraryName } from './libraries.ts'
import { contentOf, NAMES, operationAt, stateAfter, stateOf } from './operations.ts'
import { callsOf, type Ended, type Fault, runWithFault, type SystemCall } from './strace.ts'
import type { Failure } from './worker.ts'

/** Each operation once. */
const COUNT = 5

const temporary = (name: string): string => `.${name}.calico-agent.tmp`
const names = [...Object.values(NAMES), ...Object.values(NAMES).map(temporary)]

/** The worker's bundle with one library. */
export interface Worker {
  bundle: string
  library: LibraryName
}

/** Every system call of the worker on its files. */
export async function calls(worker: Worker): Promise<SystemCall[]> {
  return await inDirectory((dir) => callsOf(argv(worker, dir), dir, names))
}

/** In words, all that is not as it must be when that fault comes in place of that call; empty when all is well. */
export async function flawsOf(worker: Worker, call: SystemCall, fault: Fault): Promise<string[]> {
  const flaws = await inDirectory(async (dir) => {
    const ended = await runWithFault(argv(worker, dir), dir, names, call, fault)
    const judged =
      fault === 'signal=SIGKILL' ? await flawsOfDeath(dir, ended) : await flawsOfError(dir, ended, call)
    return [...judged, ...(await flawsOfGoingOn(dir))]
  })
  return flaws.map((flaw) => `${fault} at ${call.text}: ${flaw}`)
}

const argv = ({ bundle, library }: Worker, dir: string): string[] => [bundle, dir, String(COUNT), library]

async function inDirectory<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const parent = await mkdtemp(join(tmpdir(), 'calico-agent-faults-'))
  const dir = await mkdtemp(join(parent, 'files-'))
  try {
    await writeFile(join(dir, NAMES.live), contentOf(0))
    return await work(dir)
  } finally {
    await rm(parent, { recursive: true })
  }
}

/** Everything acknowledged is there; the operation of the moment happened or did not. */
async function flawsOfDeath(dir: string, { by, lines, stderr }: Ended): Promise<string[]> {
  if (by !== 'SIGKILL') return [`it did not die: ${String(by)}, ${stderr}`]
  const done = lines.filter((line) => line.startsWith('done')).length
  return flawsOfState(await stateOf(dir), [done, done + 1])
}

export function flawsOfState(state: string, allowed: number[]): string[] {
  const expected = allowed.map(stateAfter)
  return expected.includes(state) ? [] : [`expected ${expected.join(' or ')}; there is ${state}`]
}

/** It is told, nothing is touched, and what can be tried again works then. */
async function flawsOfError(dir: string, { by, lines, stderr }: Ended, call: SystemCall): Promise<string[]> {
  if (by !== 0) return [`it ended by ${String(by)}: ${stderr}`]
  const failures = lines
    .filter((line) => line.startsWith('failed'))
    .map((line) => JSON.parse(line.slice('failed '.length)) as Failure)
  const [first] = failures
  // By then all is synced.
  if (!first) return call.name === 'close' ? flawsOfState(await stateOf(dir), [COUNT]) : ['nobody said so']
  const flaws = failures.flatMap((failure) => flawsOfFailure(failure, call))
  if (failures.length === 1) return [...flaws, ...flawsOfState(await stateOf(dir), [COUNT])]
  // A journal is never begun over another, and not gone on with when a sync has failed.
  if (operationAt(first.n) !== 'begin' && call.name !== 'fdatasync') flaws.push('it failed twice')
  return flaws
}

function flawsOfFailure({ n, problem, state, names }: Failure, call: SystemCall): string[] {
  // Only the syncs that come after the change leave it in place.
  const changed = call.name === 'fdatasync' || /DIR[">]/.test(call.text) || operationAt(n) === 'begin'
  const flaws = flawsOfState(state, changed ? [n - 1, n] : [n - 1])
  if (!isClear(problem)) flaws.push(`the error is not clear: ${JSON.stringify(problem)}`)
  const left = names.filter((name) => name.startsWith('.'))
  if (left.length > 0) flaws.push(`${left.join(', ')} is left`)
  return flaws
}

function isClear(problem: Failure['problem']): boolean {
  return typeof problem === 'object' && /^cannot \w+ \/.+: .+/.test(problem.message) && problem.fix !== ''
}

/** As the next agent does: it appends after what is whole, and writes the files again. */
export async function flawsOfGoingOn(dir: string): Promise<string[]> {
  const path = (name: keyof typeof NAMES): string => join(dir, NAMES[name])
  const text = await readFile(path('journal'), 'utf8').catch(() => '')
  try {
    const { records, wholeBytes } = decodeJournal(text, NAMES.journal)
    if (records.length > 0) {
      const journal = new Journal(await openForAppend(path('journal'), wholeBytes), new FakeClock(), records)
      await journal.append({ type: 'resumed' })
      await journal.close()
      const { length } = decodeJournal(await readFile(path('journal'), 'utf8'), NAMES.journal).records
      if (length !== records.length + 1) return [`${length} records after ${records.length} and one more`]
    }
  } catch (error) {
    return [`the next agent cannot continue: ${String(error)}`]
  }
  for (const name of ['live', 'parked'] as const) await writeFileAtomic(path(name), contentOf(COUNT))
  await removeFile(path('parked'))
  const left = (await readdir(dir)).filter((name) => name !== NAMES.journal && name !== NAMES.live)
  return left.map((name) => `${name} is left for ever`)
}
