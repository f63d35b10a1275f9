import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LibraryName } from '../files/libraries.ts'
import { contentOf, NAMES, stateOf } from '../files/operations.ts'
import { flawsOfGoingOn, flawsOfState } from '../files/trial.ts'
import { bootAndCut } from './cut.ts'
import { makeDisk, readDisk } from './disk.ts'
import type { Guest } from './guest.ts'

/**
 * Takes the power of an emulated machine at a random moment while the journal and the file library work on it. In
 * words, what was lost although it was acknowledged, or is torn. Needs QEMU and root; some 15 s.
 */
export async function powerCutFlaws(guest: Guest, library: LibraryName): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'calico-agent-power-'))
  const tree = join(dir, 'tree')
  const disk = join(dir, 'disk')
  try {
    await mkdir(join(tree, 'state'), { recursive: true })
    await writeFile(join(tree, 'state', NAMES.live), contentOf(0))
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
