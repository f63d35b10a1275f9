import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stage } from '../../../agent/adapters/cni-binaries/staging.ts'
import { keep, putInPlace, rehearse } from '../../../agent/adapters/cni-binaries/swap.ts'
import { AgentError } from '../../../agent/core/errors.ts'
import { contentOf, KNOWN, NAMES, place, undo } from './swap-state.ts'

/** Worker BINDIR LIBRARY: stages and swaps, and says how far it is; what fails is undone as the step undoes it. */
async function main([binDir = '', library = '']: string[]): Promise<void> {
  try {
    if (library === 'naive') await copyOver(binDir)
    else await swap(binDir)
    console.log('swapped')
  } catch (error) {
    const problem = error instanceof AgentError ? error.asProblem() : String(error)
    console.log(`failed ${JSON.stringify(problem)}`)
    if (library !== 'naive') await undo(binDir)
    console.log('undone')
  }
}

async function swap(binDir: string): Promise<void> {
  const binaries = NAMES.map((name) => ({ name, sha256: null }))
  const request = { source: { kind: 'directory', path: '/' } as const, binaries, cniVersion: null }
  await stage(place(binDir), request, {
    read: async (names, take) => {
      for (const name of names)
        await take({ name, executable: true, content: chunks(contentOf('new', name)) })
    },
    tryOut: (_path, { name, sha256 }) => Promise.resolve({ name, sha256, version: null }),
    signal: new AbortController().signal,
  })
  const withoutXattrs = (): Promise<void> => Promise.resolve()
  await rehearse(place(binDir), NAMES, withoutXattrs)
  console.log('staged')
  // coreutils' part in it has no system calls of this process
  await keep(place(binDir), KNOWN, withoutXattrs)
  for (const name of NAMES) await putInPlace(place(binDir), name)
}

async function* chunks(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 4096)
    yield await Promise.resolve(content.subarray(at, at + 4096))
}

/** The control: written over what is live, as cp does it. */
async function copyOver(binDir: string): Promise<void> {
  for (const name of NAMES) await copyFile(join(`${binDir}-source`, name), join(binDir, name))
}

void main(process.argv.slice(2))
