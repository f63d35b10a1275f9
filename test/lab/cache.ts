import { createHash } from 'node:crypto'
import { readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDir, pathExists, remove } from 'fs-extra/esm'
import { cacheDir } from './paths.ts'
import { progress } from './progress.ts'

export const cacheKey = (inputs: unknown): string =>
  createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16)

/**
 * The path of something built once per value of `inputs`. It is built under another name and then renamed, so that
 * what stands there is whole; results of earlier recipes are removed.
 */
export async function cached(
  kind: string,
  inputs: unknown,
  build: (target: string) => Promise<void>,
): Promise<string> {
  const target = join(cacheDir, `${kind}-${cacheKey(inputs)}`)
  if (await pathExists(target)) return target
  await ensureDir(cacheDir)
  const mounts = await readFile('/proc/self/mountinfo', 'utf8') // a lab that runs may still use one
  for (const name of await readdir(cacheDir)) {
    const old = join(cacheDir, name)
    if (name.startsWith(`${kind}-`) && !mounts.includes(old)) await remove(old)
  }
  await progress(`building ${kind} (once)`, () => build(`${target}.part`))
  await rename(`${target}.part`, target)
  return target
}
