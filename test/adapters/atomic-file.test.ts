import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openForAppend, removeFile, writeFileAtomic } from '../../agent/adapters/atomic-file.ts'

let dir: string
let file: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atomic-'))
  file = join(dir, 'file')
})

afterEach(async () => {
  await rm(dir, { recursive: true })
})

/** A file system of 64 kB in `dir`; tmpfs counts pages of 4 kB. */
async function onSmallDisk(run: (mount: string) => Promise<void>): Promise<void> {
  const mount = join(dir, 'small')
  await mkdir(mount)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount])
  try {
    await run(mount)
  } finally {
    execFileSync('umount', [mount])
  }
}

describe('writeFileAtomic', () => {
  it('creates and replaces, with the mode that is asked for', async () => {
    await writeFileAtomic(file, 'one')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    await writeFileAtomic(file, 'two', { mode: 0o666, owner: { uid: process.getuid?.() ?? 0, gid: 0 } })
    expect((await stat(file)).mode & 0o777).toBe(0o666)
    expect(await readFile(file, 'utf8')).toBe('two')
    expect(await readdir(dir)).toEqual(['file'])
  })

  it('takes over the temporary file of a writer that died, a planted link included', async () => {
    await writeFile(join(dir, 'victim'), 'victim')
    await symlink(join(dir, 'victim'), join(dir, '.file.calico-agent.tmp'))
    await writeFileAtomic(file, 'new')
    expect(await readFile(file, 'utf8')).toBe('new')
    expect(await readFile(join(dir, 'victim'), 'utf8')).toBe('victim')
    expect(await readdir(dir)).toEqual(['file', 'victim'])
  })

  it('refuses a symlink and leaves what it names', async () => {
    await writeFile(join(dir, 'real'), 'old')
    await symlink('real', file)
    await expect(writeFileAtomic(file, 'new')).rejects.toThrow(`cannot write ${file}: it is a symbolic link`)
    expect(await readFile(join(dir, 'real'), 'utf8')).toBe('old')
  })

  it('refuses what is no file, such as a device or a FIFO, and leaves it', async () => {
    execFileSync('mkfifo', [file])
    await expect(writeFileAtomic(file, 'new')).rejects.toThrow(
      `cannot write ${file}: it is not a regular file`,
    )
    expect((await stat(file)).isFIFO()).toBe(true)
  })

  it('leaves the file and no temporary one on a full disk', async () => {
    await onSmallDisk(async (mount) => {
      const live = join(mount, 'live')
      await writeFileAtomic(live, 'old')
      await expect(writeFileAtomic(live, 'x'.repeat(100_000))).rejects.toMatchObject({
        code: 'cannot-write',
        message: `cannot write ${live}: no space left on device`,
        fix: expect.stringContaining('free space') as string,
      })
      expect(await readFile(live, 'utf8')).toBe('old')
      expect(await readdir(mount)).toEqual(['live'])
    })
  })

  it('says what it cannot write', async () => {
    await expect(writeFileAtomic(join(dir, 'none/file'), 'x')).rejects.toThrow(/cannot write .*no such file/)
    await mkdir(file)
    await expect(writeFileAtomic(file, 'x')).rejects.toMatchObject({ code: 'cannot-write' })
    expect(await readdir(dir)).toEqual(['file'])
  })
})

describe('openForAppend', () => {
  it('creates, appends, and goes on after a torn tail', async () => {
    const created = await openForAppend(file, 0)
    await created.append('one\n')
    await created.append('two\n')
    await created.append('thr')
    await created.close()
    const again = await openForAppend(file, 8)
    await again.append('three\n')
    await again.close()
    expect(await readFile(file, 'utf8')).toBe('one\ntwo\nthree\n')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('creates only what is not there, and goes on only with what is', async () => {
    await expect(openForAppend(file, 5)).rejects.toMatchObject({ code: 'cannot-write' })
    await writeFile(file, 'x')
    await expect(openForAppend(file, 0)).rejects.toThrow(/already exists/)
  })

  it('takes back the part of a record that a full disk let through', async () => {
    await onSmallDisk(async (mount) => {
      const path = join(mount, 'journal')
      const journal = await openForAppend(path, 0)
      await journal.append('one\n')
      await expect(journal.append('x'.repeat(100_000))).rejects.toThrow(/no space left/)
      await journal.append('two\n')
      await journal.close()
      expect(await readFile(path, 'utf8')).toBe('one\ntwo\n')
    })
  })
})

describe('removeFile', () => {
  it('removes, twice as well', async () => {
    await writeFile(file, 'x')
    await chmod(file, 0)
    await removeFile(file)
    await removeFile(file)
    expect(await readdir(dir)).toEqual([])
  })
})
