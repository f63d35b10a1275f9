import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readRegularFile, readText } from '../../agent/adapters/read-file.ts'

let dir: string
let file: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'read-'))
  file = join(dir, 'file')
})

afterEach(async () => {
  await rm(dir, { recursive: true })
})

describe('readRegularFile', () => {
  it('reads, and tells a missing file from an empty one', async () => {
    expect(await readRegularFile(file, { maxBytes: 10 })).toBeUndefined()
    await writeFile(file, '')
    expect(await readRegularFile(file, { maxBytes: 10 })).toEqual(Buffer.from(''))
    await writeFile(file, '0123456789')
    expect(await readRegularFile(file, { maxBytes: 10 })).toEqual(Buffer.from('0123456789'))
  })

  it('stops at the size that is allowed, whatever the size says', async () => {
    await writeFile(file, '0123456789')
    await expect(readRegularFile(file, { maxBytes: 9 })).rejects.toMatchObject({
      message: `cannot read ${file}: it is larger than 9 bytes`,
      fix: 'check that it is the right file, and shorten it',
    })
    await expect(readRegularFile('/proc/self/smaps', { maxBytes: 100 })).rejects.toThrow(/larger than 100/)
  })

  it('does not wait for a FIFO, nor read a directory or a device', async () => {
    execFileSync('mkfifo', [file])
    for (const path of [file, dir, '/dev/zero']) {
      await expect(readRegularFile(path, { maxBytes: 10 })).rejects.toMatchObject({
        message: `cannot read ${path}: it is not a regular file`,
        fix: 'replace it with a regular file',
      })
    }
  })

  it('follows a symlink unless told not to', async () => {
    await writeFile(join(dir, 'real'), 'x')
    await symlink('real', file)
    expect(await readRegularFile(file, { maxBytes: 10 })).toEqual(Buffer.from('x'))
    await expect(readRegularFile(file, { maxBytes: 10, noFollow: true })).rejects.toThrow(/symbolic link/)
  })
})

describe('readText', () => {
  it('gives the text to the byte, and nothing of a file that is not there', async () => {
    expect(await readText(file, 10)).toBeUndefined()
    await writeFile(file, '\ufeffé\r\n')
    expect(await readText(file, 10)).toBe('\ufeffé\r\n')
    await writeFile(file, '')
    expect(await readText(file, 10)).toBe('')
  })

  it('refuses what is not UTF-8', async () => {
    await writeFile(file, Buffer.from([0xe9, 0x0a]))
    await expect(readText(file, 10)).rejects.toMatchObject({
      code: 'cannot-read',
      message: `cannot read ${file}: it is not UTF-8`,
    })
  })
})
