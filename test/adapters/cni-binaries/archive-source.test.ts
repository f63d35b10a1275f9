import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { describe, expect, it } from 'vitest'
import { archiveSource } from '../../../agent/adapters/cni-binaries/archive-source.ts'
import { failureOf } from '../docker/agent-error.ts'
import { signal, temporaryDirectory, write } from './plugins.ts'

type Entry = Partial<Header> & { name: string; content?: string }

async function tar(...entries: Entry[]): Promise<Buffer> {
  const archive = pack()
  for (const { content = '', ...header } of entries) {
    if (header.type === undefined || header.type === 'file')
      archive.entry({ mode: 0o755, ...header }, content)
    else archive.entry(header)
  }
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const calico = { name: 'bin/calico', content: 'one' }
const ipam = { name: './bin/calico-ipam', content: 'two' }

/** What the archive gives under these names. */
async function read(bytes: Buffer, names = ['calico', 'calico-ipam'], file = 'cni.tgz') {
  const path = await write(join(await temporaryDirectory(), file), bytes)
  const found: Record<string, string> = {}
  await archiveSource(path)(
    names,
    async ({ name, executable, content }) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of content) chunks.push(chunk)
      found[name] = `${Buffer.concat(chunks).toString()}${executable ? '' : ' not executable'}`
    },
    signal,
  )
  return found
}

describe('archiveSource', () => {
  it.each([
    ['plain', (bytes: Buffer) => bytes],
    ['compressed', gzipSync],
  ])('reads a tar that is %s, its plugins at any depth', async (_how, wrap) => {
    const bytes = await tar({ name: 'bin', type: 'directory' }, calico, ipam, { name: 'bin/portmap' })
    expect(await read(wrap(bytes))).toEqual({ calico: 'one', 'calico-ipam': 'two' })
  })

  it('says which have no right to execute', async () => {
    expect(await read(await tar({ ...calico, mode: 0o644 }), ['calico'])).toEqual({
      calico: 'one not executable',
    })
  })

  it('lists what there is where one is missing', async () => {
    const error = await failureOf(read(await tar(calico, { name: 'x/portmap' })))
    expect(error.code).toBe('cni-binary-missing')
    expect(error.message).toMatch(
      /^cannot use calico-ipam: .*cni.tgz does not contain it; it contains calico, portmap$/,
    )
  })

  it.each<[string, Entry, string]>([
    ['points outside the archive', { name: '../calico' }, 'points outside the archive'],
    ['hides that it leads out of it', { name: 'bin/../../calico' }, 'points outside the archive'],
    ['is absolute', { name: '/opt/cni/bin/x' }, 'is an absolute path'],
    ['is a hard link', { name: 'x', type: 'link', linkname: 'calico' }, 'is a hard link'],
    ['is a device', { name: 'x', type: 'block-device', devmajor: 8 }, 'is a block device'],
    ['is a FIFO', { name: 'x', type: 'fifo' }, 'is a fifo'],
    [
      'is an absolute link',
      { name: 'x', type: 'symlink', linkname: '/etc/shadow' },
      'is a symbolic link to a place outside',
    ],
    [
      'is a link out of it',
      { name: 'a/x', type: 'symlink', linkname: '../../b' },
      'is a symbolic link to a place outside',
    ],
    ['has a name that no file system takes', { name: 'x'.repeat(5000) }, 'has a name of 5000 characters'],
    ['is sparse', { name: 'x', pax: { 'GNU.sparse.major': '1' } }, 'is a sparse file'],
  ])('refuses an archive with an entry that %s', async (_what, entry, words) => {
    const error = await failureOf(read(await tar(entry, calico, ipam)))
    expect(error.code).toBe('cni-source-hostile')
    expect(error.message).toContain(words)
  })

  it('passes over links inside of it, and refuses a plugin that is one', async () => {
    const link = { name: 'bin/latest', type: 'symlink', linkname: 'calico' } as const
    expect(await read(await tar(link, calico), ['calico'])).toEqual({ calico: 'one' })
    const error = await failureOf(read(await tar(calico, link), ['latest']))
    expect(error.message).toContain('it is a symbolic link')
  })

  it('refuses to choose between two of one name', async () => {
    const error = await failureOf(read(await tar(calico, { name: 'arm64/calico' }), ['calico']))
    expect(error.code).toBe('cni-source-ambiguous')
  })

  it('refuses an old GNU sparse file', async () => {
    const bytes = await tar({ name: 'x' }, calico, ipam)
    bytes[156] = 'S'.charCodeAt(0)
    bytes.write('        ', 148)
    const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0)
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    expect((await failureOf(read(bytes))).code).toBe('cni-source-hostile')
  })

  it('stops at a plugin that unpacks to more than one has', async () => {
    const zeros = gzipSync(Buffer.alloc(16 * 1024 * 1024))
    const head = (await tar({ name: 'calico' })).subarray(0, 512)
    head.write('10001000000\0', 124) // 1 GiB and more, octal
    head.write('        ', 148)
    const sum = head.reduce((total, byte) => total + byte, 0)
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    const bomb = Buffer.concat([gzipSync(head), ...Array.from({ length: 20 }, () => zeros)])
    const error = await failureOf(read(bomb, ['calico']))
    expect(error).toMatchObject({ code: 'cni-source-too-large' })
    expect(error.message).toContain('larger than 256 MB')
  })

  it('stops at extended headers that unpack to more than all others take', async () => {
    const large = { name: 'x', pax: { comment: 'x'.repeat(3_000_000) } }
    const bomb = gzipSync(await tar(...Array.from({ length: 25 }, () => large), calico))
    const error = await failureOf(read(bomb, ['calico']))
    expect(error).toMatchObject({ code: 'cni-source-hostile' })
    expect(error.message).toContain('its headers are larger than 64 MB')
  })

  it('says what there is in a line that can be read', async () => {
    const others = Array.from({ length: 500 }, (_, i) => ({ name: `bin/plugin-${1000 + i}` }))
    const error = await failureOf(read(await tar(...others), ['calico']))
    expect(error.message).toMatch(/it contains plugin-1000, plugin-1001,.* plugin-1019 and 480 more$/)
  })

  it.each([
    ['cut off', (bytes: Buffer) => gzipSync(bytes).subarray(0, -20)],
    ['cut off inside a plugin', (bytes: Buffer) => bytes.subarray(0, 513)],
    ['no tar', () => Buffer.alloc(2_000, 'x')],
  ])('says that a file is no whole archive: it is %s', async (_what, harm) => {
    const error = await failureOf(read(harm(await tar(calico, ipam))))
    expect(error.code).toBe('cni-source-unreadable')
  })

  it('does not wait for a FIFO, and says what is not there', async () => {
    const error = await failureOf(archiveSource('/no/such.tgz')(['calico'], async () => {}, signal))
    expect(error.message).toBe('cannot read /no/such.tgz: no such file or directory')
    const other = await failureOf(archiveSource('/dev/null')(['calico'], async () => {}, signal))
    expect(other.message).toBe('cannot read /dev/null: it is not a regular file')
  })
})
