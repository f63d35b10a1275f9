import { createCipheriv } from 'node:crypto'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { pack } from 'tar-stream'
import { execOk } from './exec.ts'
import type { NodeTag } from './image-recipe.ts'

const scripts = join(import.meta.dirname, 'image/rootfs')

const programs = [
  '/usr/sbin/bird',
  '/usr/sbin/bird6',
  '/usr/sbin/birdc',
  '/usr/bin/runsvdir',
  '/usr/bin/runsv',
  '/usr/bin/sv',
  '/usr/bin/svlogd',
  '/usr/bin/chpst',
]

/** Calico's images have one client for both daemons, under this name. */
const nameInImage = (path: string): string => (path === '/usr/sbin/birdc' ? 'usr/sbin/birdcl' : path.slice(1))

export type Entry = { name: string; mode?: number; content?: Buffer; linkTo?: string; directory?: true }

/** Debian's BIRD, runit and busybox with the libraries they need: the layer that all images share. */
export async function baseLayer(): Promise<Buffer> {
  const libraries = new Set<string>()
  for (const program of programs) for (const library of await librariesOf(program)) libraries.add(library)
  const files = [...programs, ...libraries].map(async (path) => ({
    name: nameInImage(path),
    mode: 0o755,
    content: await readFile(path),
  }))
  const busybox = {
    name: 'bin/busybox',
    mode: 0o755,
    content: await readFile(await realpath('/bin/busybox')),
  }
  const applets = (await execOk(['/bin/busybox', '--list'])).split('\n').filter(Boolean)
  const links = applets
    .filter((name) => name !== 'busybox' && !programs.some((path) => basename(path) === name))
    .map((name) => ({ name: `bin/${name}`, linkTo: 'busybox' }))
  return tar([...directories, ...(await Promise.all(files)), busybox, ...links, ...fixed])
}

/** Our shell scripts, and what a v2 image names differently from Debian. */
export async function scriptLayer(): Promise<Buffer> {
  const names = await readdir(scripts, { recursive: true, withFileTypes: true })
  const files = names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  const entries = files.map(async (path) => ({
    name: relative(scripts, path),
    mode: 0o755,
    content: await readFile(path),
  }))
  return tar([...services, ...(await Promise.all(entries))])
}

/** The small layer by which the images differ. */
export function versionLayer({ version, flavour, architecture }: NodeTag): Promise<Buffer> {
  const entries: Entry[] = [{ name: 'VERSION', content: Buffer.from(`${version}\n`) }]
  if (flavour !== undefined) entries.push({ name: 'etc/lab/flavour', content: Buffer.from(`${flavour}\n`) })
  if (architecture !== undefined)
    entries.push({ name: 'sbin/start_runit', mode: 0o755, content: foreignProgram() })
  return tar(entries)
}

/** A layer of `size` bytes that do not compress, the same ones each time. */
export function ballastLayer(size: number, index: number): Promise<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, index + 1), Buffer.alloc(16))
  return tar([{ name: `ballast/${index}`, content: cipher.update(Buffer.alloc(size)) }])
}

const directories: Entry[] = [
  'bin',
  'dev',
  'etc',
  'etc/lab',
  'lib',
  'lib/modules',
  'proc',
  'root',
  'run',
  'sbin',
  'sys',
  'tmp',
  'usr',
  'var',
].map((name) => ({ name, directory: true }))

const services: Entry[] = [
  { name: 'etc/service/enabled', directory: true },
  { name: 'etc/service/enabled/bird', linkTo: '../available/bird' },
  { name: 'etc/service/enabled/felix', linkTo: '../available/felix' },
  { name: 'usr/lib/felix/calico-felix', mode: 0o755, content: waitingProgram() },
  { name: 'usr/lib/felix/calico-node', linkTo: 'calico-felix' },
]

const fixed: Entry[] = [
  { name: 'var/run', linkTo: '/run' },
  { name: 'etc/passwd', content: Buffer.from('root:x:0:0:root:/root:/bin/sh\n') },
  { name: 'etc/group', content: Buffer.from('root:x:0:\n') },
]

async function librariesOf(program: string): Promise<string[]> {
  const listed = await execOk(['ldd', program])
  return [...listed.matchAll(/(\/\S+) \(0x/g)].flatMap((match) => match[1] ?? [])
}

/** An x86-64 program that calls pause(2) for ever, whatever its name and arguments: what `docker top` shows of Felix. */
function waitingProgram(): Buffer {
  const headers = Buffer.alloc(64 + 56)
  const code = Buffer.from('b8220000000f05ebf7', 'hex') // mov eax, 34; syscall; jmp back
  const at = 0x400000
  const size = BigInt(headers.length + code.length)
  headers.write('\x7fELF\x02\x01\x01', 'latin1')
  headers.writeUInt16LE(2, 16) // ET_EXEC
  headers.writeUInt16LE(62, 18) // EM_X86_64
  headers.writeUInt32LE(1, 20)
  headers.writeBigUInt64LE(BigInt(at + headers.length), 24) // entry
  headers.writeBigUInt64LE(64n, 32) // program headers
  headers.writeUInt16LE(64, 52)
  headers.writeUInt16LE(56, 54)
  headers.writeUInt16LE(1, 56)
  headers.writeUInt32LE(1, 64) // PT_LOAD
  headers.writeUInt32LE(5, 68) // readable, executable
  headers.writeBigUInt64LE(BigInt(at), 80)
  headers.writeBigUInt64LE(BigInt(at), 88)
  headers.writeBigUInt64LE(size, 96)
  headers.writeBigUInt64LE(size, 104)
  headers.writeBigUInt64LE(0x1000n, 112)
  return Buffer.concat([headers, code])
}

/** Enough of an ELF header for the kernel to say "exec format error", as on a foreign architecture. */
export function foreignProgram(): Buffer {
  const header = Buffer.alloc(64)
  header.write('\x7fELF\x02\x01\x01', 'latin1')
  header.writeUInt16LE(2, 16)
  header.writeUInt16LE(183, 18) // EM_AARCH64
  return header
}

export async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack()
  for (const { name, directory, mode = directory ? 0o755 : 0o644, content, linkTo } of entries) {
    const mtime = new Date(0) // the same bytes, and so the same digest, at each build
    if (directory) archive.entry({ name, type: 'directory', mode, mtime })
    else if (linkTo !== undefined) archive.entry({ name, type: 'symlink', linkname: linkTo, mtime })
    else archive.entry({ name, mode, mtime }, content ?? Buffer.alloc(0))
  }
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
