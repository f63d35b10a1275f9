import { createCipheriv } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { programByName } from './cni-plugin.ts'
import { type Entry, foreignProgram, tar } from './image-layers.ts'

/** Debian's containernetworking-plugins. */
const PLUGINS = '/usr/lib/cni'

export type CniTag = {
  tag: string
  directory?: string
  /** Plugin's name -> the reference plugin that stands in for it. */
  plugins?: Record<string, string>
  /** All of them are one program, which acts by its name. */
  byName?: true
  /** As a container it installs itself on its host: `/install-cni.sh`, which is `install` where that is a program. */
  installs?: true
  volumes?: Record<string, object>
  architecture?: 'arm64'
  /** Bytes of each plugin. */
  size?: number
}

const standIns: Record<string, string> = { calico: 'ptp', 'calico-ipam': 'host-local' }

const byName = (tag: string): CniTag => ({
  tag,
  plugins: { ...standIns, install: 'calico' },
  byName: true,
  installs: true,
})

/** Every image of calico/cni in the lab's registry. All are from scratch: no shell on the PATH, no command. */
export const cniTags: readonly CniTag[] = [
  { tag: 'v2.0.6', plugins: { ...standIns, portmap: 'portmap' } },
  { tag: 'v3.1.3' },
  ...['v1.11.2', 'v1.11.8', 'v3.15.5'].map((tag) => ({ tag, installs: true }) as const),
  ...['v3.17.6', 'v3.20.0', 'v3.26.1'].map(byName),
  { tag: 'install-layout', directory: 'opt/cni/bin/install' },
  { tag: 'volume', volumes: { '/opt/cni': {} } },
  { tag: 'no-ipam', plugins: { calico: 'ptp' } },
  { tag: 'wrong-arch', architecture: 'arm64' },
  { tag: 'big', size: 40 * 1024 * 1024 },
  { tag: 'big-next', size: 40 * 1024 * 1024 },
]

/** The path of the program that stands in for a plugin. */
export function cniProgram(plugin: string): string {
  return join(PLUGINS, standIns[plugin] ?? plugin)
}

/** The plugins of one image. Each image's differ from those of the others by what stands behind the program. */
export async function cniLayer({
  tag,
  directory = 'opt/cni/bin',
  plugins = standIns,
  byName,
  installs,
  architecture,
  size = 0,
}: CniTag): Promise<Buffer> {
  const files = Object.entries(plugins).map(async ([name, standIn]): Promise<Entry> => {
    const program = await (byName
      ? programByName(tag)
      : architecture
        ? foreignProgram()
        : readFile(join(PLUGINS, standIn)))
    const mark = Buffer.from(`\nlab plugin of ${tag}\n`)
    const filling = noise(Math.max(0, size - program.length - mark.length), tag)
    return { name: `${directory}/${name}`, mode: 0o755, content: Buffer.concat([program, mark, filling]) }
  })
  const parents = ['opt', 'opt/cni', 'opt/cni/bin', directory]
  const directories = [...new Set(parents)].map((name): Entry => ({ name, directory: true }))
  return await tar([...directories, ...(await Promise.all(files)), ...(installs ? await installer() : [])])
}

async function installer(): Promise<Entry[]> {
  const [script, busybox] = [join(import.meta.dirname, 'install-cni.sh'), await realpath('/bin/busybox')]
  return [
    { name: 'lab', directory: true },
    { name: 'lab/busybox', mode: 0o755, content: await readFile(busybox) },
    { name: 'install-cni.sh', mode: 0o755, content: await readFile(script) },
  ]
}

/** Bytes that do not compress, the same ones each time. */
function noise(size: number, seed: string): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(size))
}
