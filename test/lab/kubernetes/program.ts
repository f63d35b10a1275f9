import { copyFile, readdir, readFile, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { copy, emptyDir, ensureDir, move, pathExists, remove } from 'fs-extra/esm'
import { cached } from '../cache.ts'
import { execOk } from '../exec.ts'
import { withLock } from '../lock.ts'
import { labPath } from '../paths.ts'

const SOURCE = join(import.meta.dirname, 'program')
const names = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'kubelet']

/** Bound into every host, see `createMachine`. */
export const binDir = labPath('kubernetes/bin')
export const HOST_BIN = '/opt/kubernetes'

export const program = (name: string): string => join(binDir, name)

/**
 * Kubernetes 1.23.17, whose kubelet still has dockershim, in one file: built once from the Go module. Whoever comes
 * while another process builds waits for that one. Ten CPU minutes and 2.5 GB of disk while it lasts.
 */
export async function buildKubernetes(): Promise<string> {
  return await withLock(async () => cached('kubernetes', await recipe(), build), 'kubernetes')
}

/** Puts the programs where this lab and its hosts find them. */
export async function installPrograms(): Promise<void> {
  const built = await buildKubernetes()
  await withLock(async () => {
    const file = program('kubernetes')
    if (await pathExists(file)) return
    await ensureDir(binDir)
    await copy(join(import.meta.dirname, 'hold-sysctls.sh'), program('hold-sysctls'))
    for (const name of names) await symlink('kubernetes', program(name)).catch(() => undefined)
    await copyFile(built, `${file}.new`)
    await rename(`${file}.new`, file)
  }, 'kubernetes')
}

/** The sources, which name each version, and the compiler's. */
async function recipe(): Promise<string[]> {
  const files = (await readdir(SOURCE)).sort().map((name) => readFile(join(SOURCE, name), 'utf8'))
  const compiler = await execOk(['dpkg-query', '-W', '-f', '${Version}', 'golang-1.19-go'])
  return [compiler, ...(await Promise.all(files))]
}

async function build(target: string): Promise<void> {
  const scratch = `${target}.d`
  await emptyDir(scratch)
  try {
    await execOk(['nice', join(SOURCE, 'build.sh'), scratch])
    await move(join(scratch, 'kubernetes'), target, { overwrite: true })
  } finally {
    await remove(scratch)
  }
}
