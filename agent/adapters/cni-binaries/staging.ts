import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, realpath, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ELF_HEAD_BYTES } from '../../core/cni/elf.ts'
import { isStagedFor, stagedName } from '../../core/cni/files.ts'
import type { CniPlace, StagedBinary, StageRequest } from '../../ports/cni-binaries.ts'
import { syncDirectory, unlinkIfThere } from '../atomic-file.ts'
import { fileError } from '../file-error.ts'
import { type Copied, checkContent } from './check.ts'
import { sha256Of } from './file-hash.ts'
import type { ReadSource, SourceFile } from './source.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/** Tries a staged plugin out; throws what keeps it from being used. */
export type TryOut = (
  path: string,
  binary: Pick<Copied, 'name' | 'sha256'>,
  request: StageRequest,
) => Promise<StagedBinary>

/**
 * Puts the plugins beside the live ones under hidden names. What an earlier prefetch staged is taken over where it has
 * the content that is wanted, and removed where it does not.
 */
export async function stage(
  { binDir, run }: CniPlace,
  request: StageRequest,
  { read, tryOut, signal }: { read: ReadSource; tryOut: TryOut; signal: AbortSignal },
): Promise<StagedBinary[]> {
  const directory = await realpath(binDir).catch((error: unknown) => {
    throw fileError('cannot-stage', 'stage in', binDir, error)
  })
  const pathOf = (name: string) => join(directory, stagedName(run, name))
  const ready = new Map<string, string>()
  for (const { name, sha256 } of request.binaries) {
    if (await takeOver(directory, name, sha256, pathOf(name))) ready.set(name, sha256 ?? '')
  }
  const wanted = new Map(request.binaries.map(({ name, sha256 }) => [name, sha256]))
  const names = [...wanted.keys()].filter((name) => !ready.has(name))
  const take = async (file: SourceFile): Promise<void> => {
    const copied = await copyTo(pathOf(file.name), file)
    checkContent(copied, wanted.get(file.name) ?? null)
    ready.set(file.name, copied.sha256)
  }
  if (names.length > 0) await read(names, take, signal)
  await syncDirectory(directory).catch((error: unknown) => {
    throw fileError('cannot-stage', 'stage in', binDir, error)
  })
  const staged: StagedBinary[] = []
  for (const [name, sha256] of ready) staged.push(await tryOut(pathOf(name), { name, sha256 }, request))
  return staged
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
    for (const file of (await readdir(directory)).filter((other) => isStagedFor(name, other))) {
      const found = join(directory, file)
      const fits: boolean = !taken && sha256 !== null && (await sha256Of(found)) === sha256
      if (!fits) await unlinkIfThere(found)
      else if (found !== path) await rename(found, path)
      taken ||= fits
    }
    return taken
  } catch (error) {
    throw fileError('cannot-stage', 'take over what was staged in', directory, error)
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
