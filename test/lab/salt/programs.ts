import { join } from 'node:path'
import { copy, ensureDir, pathExists } from 'fs-extra/esm'
import { withLock } from '../lock.ts'
import { labPath } from '../paths.ts'
import { fromPypi } from '../python/pypi.ts'

/** Each for itself, beside the libraries that both use. */
const PARTS = { lib: 'salt.txt', '3006': 'salt==3006.29', '3008': 'salt==3008.4' } as const
export type SaltVersion = Exclude<keyof typeof PARTS, 'lib'>

/** Bound into every host, see `createMachine`. */
export const saltDir = labPath('salt')
export const HOST_SALT = '/opt/salt'

/** What the programs of a version need on a host, whose Python is the one that they were installed with. */
export const saltEnvironment = (version: SaltVersion): Record<string, string> => ({
  PATH: `${HOST_SALT}/${version}/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  PYTHONPATH: `${HOST_SALT}/${version}:${HOST_SALT}/lib`,
})

export const buildSalt = (): Promise<string> => fromPypi('salt', PARTS)

/** Puts it where this lab's hosts find it. */
export async function installSalt(): Promise<void> {
  const built = await buildSalt()
  await withLock(async () => {
    if (await pathExists(join(saltDir, 'installed'))) return
    await ensureDir(saltDir)
    for (const part of Object.keys(PARTS)) await copy(join(built, part), join(saltDir, part))
    await ensureDir(join(saltDir, 'installed'))
  }, 'salt')
}
