import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { remove } from 'fs-extra/esm'
import { execOk } from './exec.ts'

const SOURCE = join(import.meta.dirname, 'cni-plugin.s')

/** A program like Calico's of v3.16 and later: it acts by its own name, and panics under another one. */
export async function programByName(): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'calico-lab-plugin-'))
  const [object, program] = [join(directory, 'plugin.o'), join(directory, 'plugin')]
  try {
    await execOk(['as', '-o', object, SOURCE])
    await execOk(['ld', '-s', '-o', program, object])
    return await readFile(program)
  } finally {
    await remove(directory)
  }
}
