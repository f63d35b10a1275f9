import { posix } from 'node:path'
import { pack } from 'tar-stream'
import type { ContainerArchive } from '../../agent/ports/docker.ts'

/** What stands at a path inside a container. */
export type FakeFile = string | Buffer | { linkTo: string }

/** A path as the Engine's archive endpoint gives it: directories whole, links as links. */
export function archiveOf(files: ReadonlyMap<string, FakeFile>, path: string): ContainerArchive | undefined {
  const inside = [...files].filter(([name]) => name === path || name.startsWith(`${path}/`))
  if (inside.length === 0) return undefined
  const own = files.get(path)
  const tar = pack()
  const parent = posix.dirname(path)
  if (own === undefined) tar.entry({ name: `${posix.basename(path)}/`, type: 'directory' })
  for (const [name, file] of inside) {
    const header = { name: posix.relative(parent, name), mode: 0o755 }
    if (typeof file === 'string' || Buffer.isBuffer(file)) tar.entry(header, Buffer.from(file))
    else tar.entry({ ...header, type: 'symlink', linkname: file.linkTo })
  }
  tar.finalize()
  const isLink = typeof own === 'object' && !Buffer.isBuffer(own)
  return {
    kind: isLink ? 'symlink' : own === undefined ? 'other' : 'file',
    linkTarget: isLink ? own.linkTo : '',
    tar: tar as AsyncIterable<Uint8Array>,
    close: () => {
      tar.destroy()
    },
  }
}
