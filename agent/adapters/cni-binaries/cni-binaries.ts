import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { flatStagedName, keptName, stagedName } from '../../core/cni/files.ts'
import type { StageSource } from '../../core/plan/plan.ts'
import type { BinaryFacts, CniBinaries, CniPlace, StagedFacts } from '../../ports/cni-binaries.ts'
import { syncDirectory, unlinkIfThere } from '../atomic-file.ts'
import { fileError, isMissing } from '../file-error.ts'
import { archiveSource } from './archive-source.ts'
import { copyXattrs } from './attributes.ts'
import { tryOut } from './check.ts'
import { directorySource } from './directory-source.ts'
import { sha256Of } from './file-hash.ts'
import { type ImageReader, imageSource, removeOrphans } from './image-source.ts'
import { tryInPlace } from './in-place.ts'
import { directoryProblem, nodenameOptional, nodenameWritten } from './look.ts'
import { removeStaging, stagedFile } from './paths.ts'
import { calicoVersionOf, cniVersionsOf, versionOf } from './plugin.ts'
import { remembered } from './remembered.ts'
import type { ReadSource } from './source.ts'
import { stage } from './staging.ts'
import { keep, putBack, putInPlace, rehearse, takeAway } from './swap.ts'

/** Images are read through the Engine, in its own container. */
export function createCniBinaries(docker: ImageReader): CniBinaries {
  const readerOf = (source: StageSource): ReadSource => {
    if (source.kind === 'image') return imageSource(docker, source.image)
    if (source.kind === 'kept') return directorySource(source.binDir, (name) => keptName(source.run, name))
    return source.kind === 'directory' ? directorySource(source.path) : archiveSource(source.path)
  }
  const hash = remembered(sha256Of)
  return {
    directoryProblem,
    installed: (binDir, names) => factsOf(names, (name) => join(binDir, name), hash),
    version: remembered(versionOf),
    calicoVersion: remembered(calicoVersionOf),
    cniVersions: cniVersionsOf,
    offered: (source, names, signal) => offered(readerOf(source), names, signal),
    tried: tryInPlace,
    nodenameOptional,
    nodenameWritten,
    stage: async (place, request, signal) => {
      const staged = await stage(place, request, { read: readerOf(request.source), tryOut, signal })
      await rehearse(
        place,
        staged.map(({ name }) => name),
        copyXattrs,
      )
      return staged
    },
    staged: ({ binDir, run }, names) =>
      factsOf(names, async (name) => join(binDir, await stagedFile(binDir, run, name)), hash),
    unstage: async (place, names, source) => {
      await unstage(place, names)
      if (source.kind === 'image') await removeOrphans(docker)
    },
    keep: (place, binaries) => keep(place, binaries, copyXattrs),
    kept: ({ binDir, run }, names) => factsOf(names, (name) => join(binDir, keptName(run, name))),
    putInPlace,
    putBack,
    takeAway,
  }
}

async function factsOf(
  names: string[],
  pathOf: (name: string) => string | Promise<string>,
  hash = sha256Of,
): Promise<BinaryFacts[]> {
  return await Promise.all(
    names.map(async (name) => {
      const path = await pathOf(name)
      try {
        return { name, sha256: await hash(path) }
      } catch (error) {
        throw fileError('cannot-read', 'read', path, error)
      }
    }),
  )
}

async function offered(read: ReadSource, names: string[], signal: AbortSignal): Promise<StagedFacts[]> {
  const facts: StagedFacts[] = []
  await read(
    names,
    async ({ name, content }) => {
      const hash = createHash('sha256')
      for await (const chunk of content) hash.update(chunk)
      facts.push({ name, sha256: hash.digest('hex') })
    },
    signal,
  )
  return facts
}

async function unstage({ binDir, run }: CniPlace, names: string[]): Promise<void> {
  try {
    const directory = await realpath(binDir)
    // by now a link is one that a rehearsal left
    for (const name of names)
      for (const file of [stagedName(run, name), flatStagedName(run, name), keptName(run, name)])
        await unlinkIfThere(join(directory, file))
    await removeStaging(directory, run)
    await syncDirectory(directory)
  } catch (error) {
    if (!isMissing(error)) throw fileError('cannot-write', 'remove the staged files in', binDir, error)
  }
}
