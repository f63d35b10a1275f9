import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleWorker } from './bundle.ts'
import type { LibraryName } from './libraries.ts'
import type { Fault } from './strace.ts'
import { calls, flawsOf } from './trial.ts'

/** A trace that lacks one of these is no trace of the library. */
const CHANGING = 'openat write ftruncate fchown fchmod fsync fdatasync rename unlink'.split(' ')

/** The flaws of that fault at each call. */
async function flawsAt(library: LibraryName, fault: Fault): Promise<string[]> {
  const worker = { bundle, library }
  const queue = await calls(worker)
  const flaws: string[] = []
  const work = async (): Promise<void> => {
    for (let call = queue.shift(); call; call = queue.shift())
      flaws.push(...(await flawsOf(worker, call, fault)))
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return flaws
}

let bundle: string

beforeAll(async () => {
  bundle = join(await mkdtemp(join(tmpdir(), 'calico-agent-worker-')), 'worker.cjs')
  await bundleWorker(bundle)
})

afterAll(async () => {
  await rm(dirname(bundle), { recursive: true })
})

describe('a fault in place of each system call of the file library', () => {
  it('has calls of every kind to come in place of', async () => {
    const kinds = new Set((await calls({ bundle, library: 'real' })).map(({ name }) => name))
    for (const kind of CHANGING) expect(kinds).toContain(kind)
  })

  it.each<Fault>(['signal=SIGKILL', 'error=EIO', 'error=ENOSPC'])(
    '%s leaves everything old or new, and nothing acknowledged is lost',
    async (fault) => {
      expect(await flawsAt('real', fault)).toEqual([])
    },
  )

  it.each<Fault>(['signal=SIGKILL', 'error=EIO'])(
    '%s is seen to harm files that are written in place (the control)',
    async (fault) => {
      const flaws = (await flawsAt('naive', fault)).join('\n')
      expect(flaws).toContain('live torn (0 characters)')
      expect(flaws).toContain('parked torn (0 characters)')
      expect(flaws).toMatch(/expected journal up to \d.*; there is journal up to 0/)
    },
  )
})
