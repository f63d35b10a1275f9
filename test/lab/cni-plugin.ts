import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { remove } from 'fs-extra/esm'
import { execOk } from './exec.ts'

const SOURCE = join(import.meta.dirname, 'cni-plugin.s')

/** A program like Calico's of v3.16 and later: it acts by its own name, and panics under another one. */
export async function programByName(version: string): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'calico-lab-plugin-'))
  const [source, object, program] = ['plugin.s', 'plugin.o', 'plugin'].map((name) =>
    join(directory, name),
  ) as [string, string, string]
  const template = await readFile(SOURCE, 'utf8')
  try {
    await writeFile(source, template.replace('@version@', version))
    await execOk(['as', '-o', object, source])
    await execOk(['ld', '-s', '-o', program, object])
    return await readFile(program)
  } finally {
    await remove(directory)
  }
}
