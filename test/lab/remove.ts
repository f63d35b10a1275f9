import { readFile, rm } from 'node:fs/promises'
import { killAllOfLab, removeCgroups } from './cgroup.ts'
import { execOk } from './exec.ts'
import { withLock } from './lock.ts'
import { labDir } from './paths.ts'

/** Removes the lab whatever state it is in. The caches stay. */
export const downLab = (): Promise<void> => withLock(removeLab)

/** The caller holds the lock. */
export async function removeLab(): Promise<void> {
  await killAllOfLab()
  await unmountAll()
  await rm(labDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  await removeCgroups()
}

/** Everything mounted below the lab, the namespaces' files included; the youngest first. */
async function unmountAll(): Promise<void> {
  for (const target of (await mountsBelow()).reverse()) {
    await execOk(['umount', '--lazy', target])
  }
  // Removing files through a mount that is still there would reach what it shows.
  const left = await mountsBelow()
  if (left.length > 0) throw new Error(`cannot remove ${labDir}: still mounted: ${left.join(', ')}`)
}

async function mountsBelow(): Promise<string[]> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8')
  return mounts
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((path) =>
      path.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))),
    )
    .filter((path) => path.startsWith(`${labDir}/`))
}
