import { execFileSync } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStateDir, runsDir } from '../../agent/adapters/state-dir.ts'

let dir: string
let state: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'state-'))
  state = join(dir, 'a/state')
})

afterEach(async () => {
  await rm(dir, { recursive: true })
})

describe('openStateDir', () => {
  it('creates it for its owner alone, and opens it again', async () => {
    await openStateDir(state)
    await openStateDir(state)
    expect((await stat(state)).mode & 0o777).toBe(0o700)
    expect(await readdir(state)).toEqual(['runs'])
    expect(await readdir(join(state, 'runs'))).toEqual([])
  })

  it.each([
    ['a symlink', /symbolic link/, () => symlink(dir, join(dir, 'bad'))],
    ['a file', /: it is not a directory$/, () => writeFile(join(dir, 'bad'), '')],
    [
      'a directory of another',
      /owned by uid 1234/,
      async () => {
        await mkdir(join(dir, 'bad'))
        await chown(join(dir, 'bad'), 1234, 0)
      },
    ],
    [
      'one that the group can write to',
      /writable by its group or others/,
      async () => {
        await mkdir(join(dir, 'bad'))
        await chmod(join(dir, 'bad'), 0o770)
      },
    ],
  ])('refuses %s', async (_, message, make) => {
    await make()
    const refusal = openStateDir(join(dir, 'bad'))
    await expect(refusal).rejects.toThrow(message)
    await expect(refusal).rejects.toMatchObject({ code: 'state-dir-unusable', exitCode: 3 })
  })

  it('refuses a read-only file system, and a path through a file', async () => {
    await mkdir(state, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,mode=700', 'tmpfs', state])
    try {
      await expect(openStateDir(state)).rejects.toThrow(/read-only file system/)
      await expect(openStateDir(join(state, 'new'))).rejects.toMatchObject({ code: 'state-dir-unusable' })
    } finally {
      execFileSync('umount', [state])
    }
    await writeFile(join(dir, 'file'), '')
    await expect(openStateDir(join(dir, 'file/state'))).rejects.toMatchObject({ code: 'state-dir-unusable' })
  })

  it('refuses a place in which the kernel makes no directories', async () => {
    await expect(openStateDir('/proc/state')).rejects.toMatchObject({ code: 'state-dir-unusable' })
  })
})

describe('runsDir', () => {
  it('lists, reads, appends and removes by name', async () => {
    const files = runsDir(state)
    expect(await files.list()).toEqual([])
    await openStateDir(state)
    const journal = await files.open('r1.jsonl', 0)
    await journal.append('one\n')
    await journal.close()
    expect(await files.list()).toEqual(['r1.jsonl'])
    expect(await files.read('r1.jsonl')).toBe('one\n')
    await files.remove('r1.jsonl')
    expect(await files.list()).toEqual([])
    await expect(files.read('r1.jsonl')).rejects.toThrow(/no longer exists/)
  })
})
