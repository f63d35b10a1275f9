import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, realpath, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ELF_HEAD_BYTES } from '../../core/cni/elf.ts'
import { stagedIn, stagedName, stagingName, stagingRuns } from '../../core/cni/files.ts'
import type { CniPlace, StagedBinary, StageRequest } from '../../ports/cni-binaries.ts'
import { isThere, syncDirectory, unlinkIfThere } from '../atomic-file.ts'
import { fileError } from '../file-error.ts'
import { type Copied, checkContent, checkSum } from './check.ts'
import { sha256Of } from './file-hash.ts'
import { makeStaging, removeStaging } from './paths.ts'
import type { ReadSource, SourceFile } from './source.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/** Tries a staged plugin out; throws what keeps it from being used. */
export type TryOut = (
  path: string,
  binary: Pick<Copied, 'name' | 'sha256'>,
  request: StageRequest,
) => Promise<StagedBinary>

interface Staging {
  directory: string
  run: string
  request: StageRequest
}

/**
 * Puts the plugins into a hidden directory beside the live ones, each under its own name. What an earlier prefetch staged
 * is taken over where it has the content that is wanted, and removed where it does not.
 */
export async function stage(
  { binDir, run }: CniPlace,
  request: StageRequest,
  how: { read: ReadSource; tryOut: TryOut; signal: AbortSignal },
): Promise<StagedBinary[]> {
  let directory: string
  try {
    directory = await realpath(binDir)
    await makeStaging(directory, run)
  } catch (error) {
    throw fileError('cannot-stage', 'stage in', binDir, error)
  }
  try {
    return await fill({ directory, run, request }, how)
  } catch (error) {
    await removeStaging(directory, run).catch(() => undefined)
    throw error
  }
}

async function fill(
  { directory, run, request }: Staging,
  { read, tryOut, signal }: { read: ReadSource; tryOut: TryOut; signal: AbortSignal },
): Promise<StagedBinary[]> {
  const pathOf = (name: string) => join(directory, stagedName(run, name))
  // what was live once comes back as it was, whatever it is
  const isKept = request.source.kind === 'kept'
  const ready = new Map<string, string>()
  for (const { name, sha256 } of request.binaries) {
    if (await takeOver(directory, name, sha256, pathOf(name))) ready.set(name, sha256 ?? '')
  }
  await removeEmptied(directory, run)
  const wanted = new Map(request.binaries.map(({ name, sha256 }) => [name, sha256]))
  const names = [...wanted.keys()].filter((name) => !ready.has(name))
  const take = async (file: SourceFile): Promise<void> => {
    const copied = await copyTo(pathOf(file.name), file)
    if (!isKept) checkContent(copied)
    checkSum(copied, wanted.get(file.name) ?? null)
    ready.set(file.name, copied.sha256)
  }
  if (names.length > 0) await read(names, take, signal)
  await synced(directory, run)
  const staged: StagedBinary[] = []
  for (const [name, sha256] of ready) {
    const known = { name, sha256 }
    staged.push(isKept ? { ...known, version: null } : await tryOut(pathOf(name), known, request))
  }
  return staged
}

async function synced(directory: string, run: string): Promise<void> {
  try {
    await syncDirectory(join(directory, stagingName(run)))
    await syncDirectory(directory)
  } catch (error) {
    throw fileError('cannot-stage', 'stage in', directory, error)
  }
}

/** Whether a file that another run staged is the wanted one. The agent runs once a host: no other run is at work. */
async function takeOver(
  directory: string,
  name: string,
  sha256: string | null,
  path: string,
): Promise<boolean> {
  let taken = false
  try {
    for (const file of stagedIn(await readdir(directory), name)) {
      const found = join(directory, file)
      const isTaken = taken && found === path
      if (isTaken || !(await isThere(found))) continue
      const fits: boolean = !taken && sha256 !== null && (await sha256Of(found)) === sha256
      if (!fits) await unlinkIfThere(found)
      else if (found !== path) await rename(found, path)
      taken ||= fits
    }
    return taken
  } catch (error) {
    throw fileError('cannot-stage', 'move the staged files into', directory, error)
  }
}

/** What earlier runs staged in. */
async function removeEmptied(directory: string, run: string): Promise<void> {
  try {
    const others = stagingRuns(await readdir(directory)).filter((other) => other !== run)
    for (const other of others) await removeStaging(directory, other)
  } catch (error) {
    throw fileError('cannot-stage', 'remove the staged files in', directory, error)
  }
}

async function copyTo(path: string, { name, executable, content }: SourceFile): Promise<Copied> {
  const hash = createHash('sha256')
  let head = Buffer.alloc(0)
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const chunk of content) {
      if (head.length < ELF_HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, ELF_HEAD_BYTES)])
      hash.update(chunk)
      yield chunk
    }
  }
  try {
    const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o700)
    try {
      await file.writeFile(watched())
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    await unlinkIfThere(path).catch(() => undefined)
    throw fileError('cannot-stage', 'stage', path, error)
  }
  return { name, executable, sha256: hash.digest('hex'), head }
}
