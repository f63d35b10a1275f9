import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { collect, execOk, launch } from '../../lab/exec.ts'

const SIZE = 256 * 1024 * 1024

/** An ext4 image with a copy of the directory as /state. */
export async function makeDisk(image: string, tree: string): Promise<void> {
  await writeFile(image, '')
  await truncate(image, SIZE)
  // blocks as on the disks of hosts; a small image would get smaller ones
  await execOk(['mkfs.ext4', '-q', '-b', '4096', '-d', tree, image])
}

/** Copies /state of the image, as the next boot finds it: the file system's own journal is replayed first. */
export async function readDisk(image: string, into: string): Promise<string> {
  const { code, stdout } = await collect(launch(['e2fsck', '-fy', image]))
  // 1: it has put something right, as it does after each cut
  if (code > 1) throw new Error(`cannot repair the file system: ${stdout}`)
  await mkdir(into)
  const { stderr } = await collect(launch(['debugfs', '-R', `rdump /state ${into}`, image]))
  const problem = stderr.replace(/^debugfs \d.*\n/, '')
  if (problem !== '') throw new Error(`cannot read the image: ${problem}`)
  return join(into, 'state')
}
