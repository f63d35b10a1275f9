import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** The reference plugins of Debian's containernetworking-plugins: real ones, in place of Calico's. */
const PLUGINS = '/usr/lib/cni'

export const signal = new AbortController().signal

export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'calico-agent-cni-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

/** A real plugin, marked so that its content differs: what stands after the program is not read. */
export async function pluginBytes(name = 'host-local', mark = ''): Promise<Buffer> {
  return Buffer.concat([await readFile(join(PLUGINS, name)), Buffer.from(mark)])
}

/** A program of another machine: an ELF header alone. */
export function foreignProgram(): Buffer {
  const header = Buffer.alloc(64)
  header.write('\x7fELF\x02\x01\x01', 'latin1')
  header.writeUInt16LE(2, 16)
  header.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18)
  return header
}

export async function write(path: string, content: Buffer | string, mode = 0o755): Promise<string> {
  await writeFile(path, content, { mode })
  return path
}
