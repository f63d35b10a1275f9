import { rename } from 'node:fs/promises'
import { readJson, writeJson } from 'fs-extra/esm'
import { labPath } from './paths.ts'
import type { Machine } from './power.ts'

/** What a running lab consists of; written last, so that a half-booted lab has none. */
export type LabFile = { imagesKey: string; hosts: (Machine & { index: number })[] }

const path = labPath('lab.json')

export async function readLabFile(): Promise<LabFile> {
  return (await readJson(path)) as LabFile
}

export async function writeLabFile(content: LabFile): Promise<void> {
  await writeJson(`${path}.new`, content)
  await rename(`${path}.new`, path)
}
