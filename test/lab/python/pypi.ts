import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { emptyDir, move, remove } from 'fs-extra/esm'
import { cached } from '../cache.ts'
import { execOk } from '../exec.ts'
import { withLock } from '../lock.ts'

const file = (name: string): string => join(import.meta.dirname, name)

/**
 * A directory with one subdirectory for each of `parts`, installed from PyPI by Debian's pip: the requirements of a file here,
 * or one package. What they depend on is not followed: the files name all that is used.
 */
export async function fromPypi(name: string, parts: Record<string, string>): Promise<string> {
  const python = await execOk(['/usr/bin/python3', '--version'])
  const files = [...Object.values(parts).filter(isFile), 'constraints.txt']
  const inputs = [python, parts, ...(await Promise.all(files.map((path) => readFile(file(path), 'utf8'))))]
  const build = (target: string): Promise<void> => install(target, parts)
  return await withLock(async () => cached(name, inputs, build), name)
}

async function install(target: string, parts: Record<string, string>): Promise<void> {
  const scratch = `${target}.d`
  await emptyDir(scratch)
  try {
    for (const [part, what] of Object.entries(parts)) await pip(join(scratch, part), what)
    await move(scratch, target, { overwrite: true })
  } finally {
    await remove(scratch)
  }
}

const isFile = (what: string): boolean => what.endsWith('.txt')

async function pip(target: string, what: string): Promise<void> {
  const wanted = isFile(what) ? ['--requirement', file(what)] : [what]
  await execOk(
    ['/usr/bin/python3', '-m', 'pip', 'install', '--quiet', '--no-deps', '--target', target, ...wanted],
    // also for the environment in which pip builds a package
    { env: { ...process.env, PATH: '/usr/bin:/bin', PIP_CONSTRAINT: file('constraints.txt') } },
  )
}
