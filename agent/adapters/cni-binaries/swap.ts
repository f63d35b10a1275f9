import { link, realpath, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AgentError } from '../../core/errors.ts'
import type { CniPlace, KeptBinary } from '../../ports/cni-binaries.ts'
import { isThere, syncDirectory, unlinkIfThere } from '../atomic-file.ts'
import { fileError } from '../file-error.ts'
import { type CopyXattrs, takeAttributes } from './attributes.ts'
import { sha256Of } from './file-hash.ts'
import { pathsOf, removeStaging } from './paths.ts'

/**
 * Links every live plugin before the first of them is replaced: a link keeps content, times, owner and attributes. One
 * that is there already is of a try that died, after which the live one may be the new one.
 */
export async function keep(place: CniPlace, binaries: KeptBinary[], copy: CopyXattrs): Promise<void> {
  await guarded('cannot-keep-binary', 'keep the installed plugins in', place.binDir, async () => {
    for (const { name, existed } of binaries) {
      const { live, staged, kept } = await pathsOf(place, name)
      await guarded('cannot-keep-binary', 'keep', live, async () => {
        if (existed && !(await isThere(kept))) await link(live, kept)
        if (await isThere(staged)) await takeAttributes(live, staged, copy)
      })
    }
    await syncDirectory(await realpath(place.binDir))
  })
}

/**
 * Does to the staged files all that `keep` will do, and takes the links away again: a file system without links, or an
 * attribute that may not be set, is found before anything that runs is touched.
 */
export async function rehearse(place: CniPlace, names: string[], copy: CopyXattrs): Promise<void> {
  for (const name of names) {
    await guarded('cannot-keep-binary', 'keep', `${place.binDir}/${name}`, async () => {
      const { live, staged, kept } = await pathsOf(place, name)
      if (await isThere(live)) await link(live, kept)
      await unlinkIfThere(kept)
      await takeAttributes(live, staged, copy)
    })
  }
}

export async function putInPlace(place: CniPlace, name: string): Promise<void> {
  await guarded('cannot-swap-binary', 'replace', `${place.binDir}/${name}`, async () => {
    const { directory, live, staged } = await pathsOf(place, name)
    if (await isThere(staged)) {
      await rename(staged, live)
      await syncDirectory(dirname(staged))
    }
    await removeStaging(directory, place.run)
    await syncDirectory(directory)
  })
}

export async function putBack(place: CniPlace, name: string): Promise<void> {
  await guarded('cannot-put-back-binary', 'put back', `${place.binDir}/${name}`, async () => {
    const { directory, live, kept } = await pathsOf(place, name)
    if (await isThere(kept)) {
      await rename(kept, live)
      // of two names of one file rename(2) removes none
      await unlinkIfThere(kept)
    }
    await syncDirectory(directory)
  })
}

export async function takeAway(place: CniPlace, name: string, sha256: string): Promise<void> {
  await guarded('cannot-put-back-binary', 'remove', `${place.binDir}/${name}`, async () => {
    const { directory, live } = await pathsOf(place, name)
    const found = await sha256Of(live)
    if (found !== null && found !== sha256) {
      throw new AgentError('binary-changed', `cannot remove ${live}: this run did not install it`, {
        fix: `check what it is: ${live} -v`,
      })
    }
    await unlinkIfThere(live)
    await syncDirectory(directory)
  })
}

async function guarded(code: string, action: string, path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw fileError(code, action, path, error)
  }
}
