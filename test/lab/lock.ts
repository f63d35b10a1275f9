import { join } from 'node:path'
import { ensureDir } from 'fs-extra/esm'
import { collect, launch } from './exec.ts'
import { cacheDir, cgroupName } from './paths.ts'

/**
 * Runs `work` while no other process boots or removes the same lab, or has another lock of that name. The lock is a kernel lock held by a child
 * that ends when its stdin closes, so that it is free again even if this process is killed.
 */
export async function withLock<T>(work: () => Promise<T>, name = cgroupName): Promise<T> {
  await ensureDir(cacheDir)
  const holder = launch(['flock', join(cacheDir, `${name}.lock`), 'sh', '-c', 'echo locked; cat'])
  const ended = collect(holder)
  await Promise.race([
    new Promise((resolve) => holder.stdout.once('data', resolve)),
    ended.then(({ stderr }) => {
      throw new Error(`cannot lock the lab: ${stderr}`)
    }),
  ])
  try {
    return await work()
  } finally {
    holder.stdin.end()
    await ended
  }
}
