import { link, lstat, realpath, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { keptName, stagedName } from '../../core/cni-files.ts'
import { AgentError } from '../../core/errors.ts'
import type { CniPlace } from '../../ports/cni-binaries.ts'
import { fileError, isMissing, syncDirectory, unlinkIfThere } from '../atomic-file.ts'
import { type CopyXattrs, takeAttributes } from './attributes.ts'
import { sha256Of } from './file-hash.ts'

/** The three names of one plugin in a run. */
interface Names {
  directory: string
  live: string
  staged: string
  kept: string
}

/**
 * Links every live plugin before the first of them is replaced: a link keeps content, times, owner and attributes.
 * What was not staged in a try before, because it is in place already, needs nothing.
 */
export async function keep(place: CniPlace, names: string[], copy: CopyXattrs): Promise<void> {
  for (const name of names) {
    const { live, staged, kept } = await namesOf(place, name)
    try {
      await linkOnce(live, kept)
      if (await isThere(staged)) await takeAttributes(live, staged, copy)
    } catch (error) {
      throw fileError('cannot-keep-binary', 'keep', live, error)
    }
  }
  await syncDirectory(await realpath(place.binDir))
}

/** A link that is there already is of a try that died: what is live by now may be the new one. */
async function linkOnce(live: string, kept: string): Promise<void> {
  if (await isThere(kept)) return
  try {
    await link(live, kept)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

export async function putInPlace(place: CniPlace, name: string): Promise<void> {
  const { directory, live, staged } = await namesOf(place, name)
  try {
    await rename(staged, live)
  } catch (error) {
    if (!isMissing(error)) throw fileError('cannot-swap-binary', 'replace', live, error)
  }
  await syncDirectory(directory)
}

export async function putBack(place: CniPlace, name: string): Promise<void> {
  const { directory, live, kept } = await namesOf(place, name)
  try {
    if (!(await isThere(kept))) return
    await rename(kept, live)
    // of two names of one file rename(2) removes none
    await unlinkIfThere(kept)
    await syncDirectory(directory)
  } catch (error) {
    throw fileError('cannot-put-back-binary', 'put back', live, error)
  }
}

export async function takeAway(place: CniPlace, name: string, sha256: string): Promise<void> {
  const { directory, live } = await namesOf(place, name)
  const found = await sha256Of(live)
  if (found === null) return
  if (found !== sha256) {
    throw new AgentError('binary-changed', `cannot remove ${live}: it is not what this run put there`, {
      fix: `see what it is: ${live} -v`,
    })
  }
  await unlinkIfThere(live)
  await syncDirectory(directory)
}

export async function removeFiles(paths: string[]): Promise<void> {
  for (const path of paths) {
    try {
      await unlinkIfThere(path)
      await syncDirectory(dirname(path))
    } catch (error) {
      if (!isMissing(error)) throw fileError('cannot-write', 'remove', path, error)
    }
  }
}

async function namesOf({ binDir, run }: CniPlace, name: string): Promise<Names> {
  const directory = await realpath(binDir)
  const inside = (file: string) => join(directory, file)
  return {
    directory,
    live: inside(name),
    staged: inside(stagedName(run, name)),
    kept: inside(keptName(run, name)),
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
