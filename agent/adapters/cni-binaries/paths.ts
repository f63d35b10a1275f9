import { mkdir, realpath, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { flatStagedName, keptName, stagedName, stagingName } from '../../core/cni/files.ts'
import type { CniPlace } from '../../ports/cni-binaries.ts'
import { isThere } from '../atomic-file.ts'

/** The three names of one plugin in a run. */
export interface PluginPaths {
  directory: string
  live: string
  staged: string
  kept: string
}

export async function pathsOf({ binDir, run }: CniPlace, name: string): Promise<PluginPaths> {
  const directory = await realpath(binDir)
  return {
    directory,
    live: join(directory, name),
    staged: join(directory, await stagedFile(directory, run, name)),
    kept: join(directory, keptName(run, name)),
  }
}

/** In the directory; as an earlier agent named it where the run is one of its runs. */
export async function stagedFile(directory: string, run: string, name: string): Promise<string> {
  const flat = flatStagedName(run, name)
  return (await isThere(join(directory, flat))) ? flat : stagedName(run, name)
}

export async function makeStaging(directory: string, run: string): Promise<void> {
  try {
    await mkdir(join(directory, stagingName(run)), 0o700)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
}

/** Once nothing is staged there any more. */
export async function removeStaging(directory: string, run: string): Promise<void> {
  try {
    await rmdir(join(directory, stagingName(run)))
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '')
}
