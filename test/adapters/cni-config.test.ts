import { execFileSync } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCniConfigs } from '../../agent/adapters/cni-config.ts'
import { cniConfigContract } from '../contract/cni-config-contract.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-agent-cni-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

const configs = createCniConfigs()
const inside = (name: string): string => join(directory, name)

/** What stat(1) shows of a file and a write of its text would change: the inode and its time, to the nanosecond. */
async function stamp(name: string): Promise<string> {
  const { ino, mtimeNs, mode, uid, gid } = await stat(inside(name), { bigint: true })
  return [ino, mtimeNs, mode, uid, gid].join(' ')
}

cniConfigContract('the real one', () =>
  Promise.resolve({
    configs,
    directory,
    put: (name, text) => writeFile(inside(name), text),
    names: async () => (await readdir(directory)).sort(),
    stamp,
  }),
)

describe('remove', () => {
  it('takes a directory of staged plugins with what is in it', async () => {
    const staging = inside('.calico-agent-20261122T141503Z-7f3a.new')
    await mkdir(staging)
    await writeFile(join(staging, 'calico'), 'new')
    for (let times = 0; times < 2; times++) await configs.remove(staging)
    expect(await readdir(directory)).toEqual([])
  })
})

describe('on a read-only file system', () => {
  beforeEach(async () => {
    await writeFile(inside('10-calico.conf'), 'old')
    execFileSync('mount', ['--bind', directory, directory])
    execFileSync('mount', ['-o', 'remount,bind,ro', directory])
  })

  afterEach(() => {
    execFileSync('umount', [directory])
  })

  it('there is a problem with the directory', async () => {
    expect(await configs.directoryProblem(directory)).toMatchObject({
      code: 'cni-config-dir-unusable',
      message: `cannot replace files in ${directory}: read-only file system`,
    })
  })

  it('a file that is as it was need not be restored', async () => {
    await configs.restore(inside('10-calico.conf'), 'old', inside('.kept'))
    await expect(configs.restore(inside('10-calico.conf'), 'other', inside('.kept'))).rejects.toThrow(
      /read-only/,
    )
  })
})

describe('a replaced config', () => {
  it('has the mode and the owner of the old one', async () => {
    const path = inside('10-calico.conf')
    await writeFile(path, 'old')
    await chmod(path, 0o640)
    if (process.getuid?.() === 0) await chown(path, 12, 34)
    const { mode, uid, gid } = await stat(path)
    await configs.replace(path, 'new', inside('.kept'))
    expect(await stat(path)).toMatchObject({ mode, uid, gid })
  })

  it('is never a symbolic link', async () => {
    await writeFile(inside('target'), 'old')
    await symlink('target', inside('10-calico.conf'))
    await expect(configs.replace(inside('10-calico.conf'), 'new', inside('.kept'))).rejects.toMatchObject({
      code: 'cannot-write',
      message: expect.stringContaining('symbolic link') as unknown,
    })
    expect(await readdir(directory)).toEqual(['10-calico.conf', 'target'])
    expect((await configs.list(directory))[0]).toMatchObject({ isLink: true, content: { text: 'old' } })
  })

  it('gets its old time back, however odd', async () => {
    const path = inside('10-calico.conf')
    await writeFile(path, 'old')
    await utimes(path, 1, 1.123456789)
    const before = await stamp('10-calico.conf')
    await configs.replace(path, 'new', inside('.kept'))
    // as after a death between the two moves of a replacement, and a second try
    await writeFile(inside('.10-calico.conf.calico-agent.tmp'), 'ne')
    await configs.restore(path, 'old', inside('.kept'))
    expect(await stamp('10-calico.conf')).toBe(before)
    expect(await readdir(directory)).toEqual(['10-calico.conf'])
  })
})

describe('a list of configs', () => {
  it('says of what it cannot read why', async () => {
    await mkdir(inside('dir.conf'))
    await symlink('nowhere', inside('a.conf'))
    await writeFile(inside('b.conf'), Buffer.from([0x7b, 0xff, 0x7d]))
    await writeFile(inside('c.conf'), 'x'.repeat(1_048_577))
    await symlink('dir.conf', inside('d.conf'))
    const listed = (await configs.list(directory)).sort((a, b) => (a.name < b.name ? -1 : 1))
    expect(
      listed.map(({ name, content }) => [name, 'unreadable' in content ? content.unreadable : '']),
    ).toEqual([
      ['a.conf', 'it is missing, or a broken link'],
      ['b.conf', expect.stringContaining('not UTF-8 text')],
      ['c.conf', expect.stringContaining('larger than 1048576 bytes')],
      ['d.conf', expect.stringContaining('not a regular file')],
    ])
  })

  it('keeps a byte order mark, which the kubelet does not take', async () => {
    await writeFile(inside('a.conf'), '\ufeff{}')
    expect(await configs.read(inside('a.conf'))).toBe('\ufeff{}')
  })
})

describe('a plugin', () => {
  it('is a file that can be run', async () => {
    await writeFile(inside('calico'), '', { mode: 0o644 })
    await mkdir(inside('calico-ipam'))
    expect(await configs.isProgram(inside('calico'))).toBe(false)
    expect(await configs.isProgram(inside('calico-ipam'))).toBe(false)
  })
})
