import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unlinkIfThere } from '../../../agent/adapters/atomic-file.ts'
import { removeStaging } from '../../../agent/adapters/cni-binaries/paths.ts'
import { putBack, takeAway } from '../../../agent/adapters/cni-binaries/swap.ts'
import { keptName, stagedName, stagingName } from '../../../agent/core/cni/files.ts'

const RUN = '20261122T141503Z-7f3a'
/** calico is there before, calico-ipam is not. */
export const NAMES = ['calico', 'calico-ipam']
export const KNOWN = [
  { name: 'calico', existed: true },
  { name: 'calico-ipam', existed: false },
]
export const FILES = [
  ...NAMES,
  stagingName(RUN),
  ...NAMES.map((name) => stagedName(RUN, name)),
  ...NAMES.map((name) => keptName(RUN, name)),
]

export const place = (binDir: string) => ({ binDir, run: RUN })

/** Some pages of a program of this machine, as far as its header says. */
export function contentOf(age: 'old' | 'new', name: string): Buffer {
  const header = Buffer.alloc(64)
  header.write('\x7fELF\x02\x01\x01', 'latin1')
  header.writeUInt16LE(2, 16)
  header.writeUInt16LE(process.arch === 'arm64' ? 183 : 62, 18)
  return Buffer.concat([header, Buffer.from(`${age} ${name}\n`.repeat(1_000))])
}

/** As the steps undo it. */
export async function undo(binDir: string): Promise<void> {
  await putBack(place(binDir), 'calico')
  const sha256 = createHash('sha256').update(contentOf('new', 'calico-ipam')).digest('hex')
  if (!(await filesIn(binDir)).includes(stagedName(RUN, 'calico-ipam')))
    await takeAway(place(binDir), 'calico-ipam', sha256)
  const own = NAMES.flatMap((name) => [stagedName(RUN, name), keptName(RUN, name)])
  for (const file of own) await unlinkIfThere(join(binDir, file))
  await removeStaging(binDir, RUN)
}

/** Those of its directories too. */
async function filesIn(binDir: string): Promise<string[]> {
  return (await readdir(binDir, { recursive: true })).sort()
}

/** In words, what the directory holds: `calico old, new/, new/calico new`. */
export async function stateOf(binDir: string): Promise<string> {
  const files = await filesIn(binDir)
  const words = await Promise.all(
    files.map(async (file) => {
      if (file === stagingName(RUN)) return 'new/'
      const name = NAMES.find((one) => [one, stagedName(RUN, one), keptName(RUN, one)].includes(file)) ?? ''
      const content = await readFile(join(binDir, file))
      const age = (['old', 'new'] as const).find((one) => content.equals(contentOf(one, name))) ?? 'torn'
      return `${file.replace(`.calico-agent-${RUN}`, '').replace(/^[.-]/, '')} ${age}`
    }),
  )
  return words.join(', ')
}
