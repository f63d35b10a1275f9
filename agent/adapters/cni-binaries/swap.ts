import { link, lstat, realpath, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { keptName, stagedName } from '../../core/cni-files.ts'
import { AgentError } from '../../core/errors.ts'
import type { CniPlace, KeptBinary } from '../../ports/cni-binaries.ts'
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
 * Links every live plugin before the first of them is replaced: a link keeps content, times, owner and attributes. One
 * that is there already is of a try that died, after which the live one may be the new one.
 */
export async function keep(place: CniPlace, binaries: KeptBinary[], copy: CopyXattrs): Promise<void> {
  for (const { name, existed } of binaries) {
    const { live, staged, kept } = await namesOf(place, name)
    try {
      if (existed && !(await isThere(kept))) await link(live, kept)
      if (await isThere(staged)) await takeAttributes(live, staged, copy)
    } catch (error) {
      throw fileError('cannot-keep-binary', 'keep', live, error)
    }
  }
  await syncDirectory(await realpath(place.binDir))
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
