import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LibraryName } from '../files/libraries.ts'
import { contentOf, NAMES, stateOf } from '../files/operations.ts'
import { flawsOfGoingOn, flawsOfState } from '../files/trial.ts'
import { bootAndCut } from './cut.ts'
import { makeDisk, readDisk } from './disk.ts'
import { buildGuest, type Guest } from './guest.ts'

/**
 * Takes the power of a machine again and again while the journal and the file library work on it. Bad is a trial that
 * lost what was acknowledged, or left something torn; `details` says of each what. Without fsync it is the control.
 * Needs QEMU and root; some 15 s a trial.
 * @public
 */
export async function powerCutTrials({
  trials,
  fsync,
}: {
  trials: number
  fsync: boolean
}): Promise<{ trials: number; bad: number; details: string[] }> {
  const dir = await mkdtemp(join(tmpdir(), 'calico-agent-power-'))
  try {
    const guest = await buildGuest(dir)
    const details: string[] = []
    let bad = 0
    for (let i = 1; i <= trials; i++) {
      const flaws = await trial(guest, join(dir, String(i)), fsync ? 'real' : 'without-sync')
      if (flaws.length > 0) bad += 1
      details.push(...flaws.map((flaw) => `power cut ${i}: ${flaw}`))
    }
    return { trials, bad, details }
  } finally {
    await rm(dir, { recursive: true })
  }
}

async function trial(guest: Guest, dir: string, library: LibraryName): Promise<string[]> {
  const tree = join(dir, 'tree')
  const disk = join(dir, 'disk')
  await mkdir(join(tree, 'state'), { recursive: true })
  await writeFile(join(tree, 'state', NAMES.live), contentOf(0))
  try {
    await makeDisk(disk, tree)
    return await flawsOfDisk(disk, await bootAndCut(guest, disk, library), dir)
  } finally {
    await rm(dir, { recursive: true })
  }
}

/** In words, all that is not as it must be on a disk when so many operations were acknowledged. */
export async function flawsOfDisk(disk: string, done: number, dir: string): Promise<string[]> {
  try {
    const state = await readDisk(disk, join(dir, 'read'))
    const flaws = flawsOfState(await stateOf(state), [done, done + 1])
    return [...flaws, ...(await flawsOfGoingOn(state))]
  } catch (error) {
    return [String(error)]
  }
}
