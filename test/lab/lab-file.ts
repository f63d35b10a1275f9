import { readFile, rename, writeFile } from 'node:fs/promises'
import { labPath } from './paths.ts'
import type { Machine } from './power.ts'

/** What a running lab consists of; written last, so that a half-booted lab has none. */
export type LabFile = { imagesKey: string; hosts: (Machine & { index: number })[] }

const path = labPath('lab.json')

export async function readLabFile(): Promise<LabFile> {
  return JSON.parse(await readFile(path, 'utf8')) as LabFile
}

export async function writeLabFile(content: LabFile): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(content))
  await rename(`${path}.new`, path)
}
