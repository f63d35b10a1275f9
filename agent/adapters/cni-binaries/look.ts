import { constants } from 'node:fs'
import { access, lstat, readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentError, Problem } from '../../core/errors.ts'
import { fileError, isMissing } from '../file-error.ts'
import { readRegularFile } from '../read-file.ts'
import { refused } from './source.ts'

/** calico/node v3 writes this host's name there (v3.1: cni-plugin, utils.DetermineNodename). */
const NODENAME_FILE = '/var/lib/calico/nodename'
const MAX_CONFIG_BYTES = 1024 * 1024

/** What keeps plugins from being put there; null where nothing does. */
export async function directoryProblem(binDir: string, names: string[]): Promise<Problem | null> {
  try {
    const directory = await realpath(binDir)
    if (!(await stat(directory)).isDirectory()) return noDirectory(binDir, 'it is not a directory')
    // root passes every permission check: only a read-only file system says no
    await access(directory, constants.W_OK)
    for (const name of names) {
      const wrong = await wrongKind(join(directory, name))
      if (wrong) return wrong.asProblem()
    }
    return null
  } catch (error) {
    if (isMissing(error)) return noDirectory(binDir, 'no such directory')
    return fileError('cni-bin-dir-unusable', 'install CNI plugins in', binDir, error).asProblem()
  }
}

function noDirectory(binDir: string, reason: string): Problem {
  const fix = `mkdir -p ${binDir}, or set cni.binDir in the config`
  return refused('cni-bin-dir-unusable', `${binDir} for CNI plugins`, reason, { fix }).asProblem()
}

/** A link would be replaced by a file, and what it leads to would stay as it is. */
async function wrongKind(path: string): Promise<AgentError | null> {
  try {
    const stats = await lstat(path)
    if (stats.isFile()) return null
    const reason = stats.isSymbolicLink()
      ? `it is a symbolic link to ${await realpath(path).catch(() => 'nothing')}`
      : 'it is not a regular file'
    const fix = 'set cni.binDir to the directory that contains the file, or replace it with a regular file'
    return refused('cni-binary-not-a-file', path, reason, { fix })
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

export async function nodenameWritten(): Promise<boolean> {
  const content = await readRegularFile(NODENAME_FILE, { maxBytes: 4096 }).catch(() => undefined)
  return content !== undefined && content.toString().trim() !== ''
}

/** Any Calico config of the directory counts: a wrong one is for others to tell. */
export async function nodenameOptional(configDir: string): Promise<boolean> {
  const names = await readdir(configDir).catch((): string[] => [])
  for (const name of names.filter((file) => /\.(conf|conflist|json)$/.test(file))) {
    const content = await readRegularFile(join(configDir, name), { maxBytes: MAX_CONFIG_BYTES }).catch(
      () => undefined,
    )
    if (content && saysOptional(content.toString())) return true
  }
  return false
}

function saysOptional(text: string): boolean {
  try {
    const config = JSON.parse(text) as { plugins?: unknown[] } | null
    const plugins = [config, ...(Array.isArray(config?.plugins) ? config.plugins : [])]
    return plugins.some(
      (plugin) => (plugin as Record<string, unknown> | null)?.['nodename_file_optional'] === true,
    )
  } catch {
    return false
  }
}
