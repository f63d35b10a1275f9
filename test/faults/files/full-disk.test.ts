import { execFileSync } from 'node:child_process'
import { appendFile, mkdtemp, readFile, rm, rmdir, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openForAppend } from '../../../agent/adapters/atomic-file.ts'
import { Journal } from '../../../agent/journal/journal.ts'
import { decodeJournal } from '../../../agent/journal/record.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { plan } from '../../journal/sample.ts'

let mount: string
let file: string
let ballast: string

beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), 'calico-agent-full-'))
  file = join(mount, 'run.jsonl')
  ballast = join(mount, 'ballast')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount])
})

afterEach(async () => {
  execFileSync('umount', [mount])
  await rmdir(mount)
})

const read = async () => decodeJournal(await readFile(file, 'utf8'), file)

/** A journal on a disk with room for only some of its records: how many it took, and how it refused the next. */
async function filled(size: number) {
  await writeFile(ballast, 'x'.repeat(20_000))
  const journal = new Journal(await openForAppend(file, 0), new FakeClock(), [])
  await journal.append({ type: 'run', order: 1, agent: '0.1.0', plan: plan('run'), problems: [] })
  for (let taken = 1; ; taken++) {
    try {
      await journal.append({ type: 'captured', step: 0, before: 'x'.repeat(size) })
    } catch (error) {
      return { journal, taken, error }
    }
  }
}

// The disk gives pages of 4 kB: the last record is cut off at another byte each time.
describe.each([10, 1_000, 3_333, 4_096, 9_000])(
  'a journal with records of %d bytes on a full disk',
  (size) => {
    it('has what it acknowledged and no more, and goes on when there is space', async () => {
      const { journal, taken, error } = await filled(size)
      expect(taken).toBeGreaterThan(1)
      expect(error).toMatchObject({
        code: 'cannot-write',
        message: `cannot write ${file}: no space left on device`,
        fix: expect.stringContaining('free space') as unknown,
      })
      expect((await read()).records).toHaveLength(taken)
      expect((await read()).wholeBytes).toBe((await readFile(file)).length)
      await truncate(ballast)
      await journal.append({ type: 'resumed' })
      await journal.close()
      expect((await read()).records).toHaveLength(taken + 1)
    })

    it('is opened by the next agent with the disk still full, its torn tail cut off', async () => {
      const { journal, taken } = await filled(size)
      await journal.close()
      // as an agent leaves it that dies before it takes the part back
      await appendFile(file, 'x'.repeat(20_000)).catch(() => undefined)
      const { records, wholeBytes } = await read()
      expect(records).toHaveLength(taken)
      const again = new Journal(await openForAppend(file, wholeBytes), new FakeClock(), records)
      expect((await readFile(file)).length).toBe(wholeBytes)
      await rm(ballast)
      await again.append({ type: 'resumed' })
      await again.close()
      expect((await read()).records).toHaveLength(taken + 1)
    })
  },
)
