import { rename, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { sha256Of } from '../../../agent/adapters/cni-binaries/file-hash.ts'
import { remembered } from '../../../agent/adapters/cni-binaries/remembered.ts'
import { temporaryDirectory, write } from './plugins.ts'

let path: string
let asked: number
let ask: (path: string) => Promise<string | null>

beforeEach(async () => {
  path = await write(join(await temporaryDirectory(), 'calico'), 'one')
  asked = 0
  ask = remembered((file) => {
    asked += 1
    return sha256Of(file)
  })
})

describe('remembered', () => {
  it('asks once about one file', async () => {
    expect(await ask(path)).toBe(await ask(path))
    expect(asked).toBe(1)
  })

  it('sees a file that took the name', async () => {
    const old = await ask(path)
    await rename(await write(`${path}.new`, 'two'), path)
    expect(await ask(path)).not.toBe(old)
  })

  it('sees a change that hides behind the same size and time', async () => {
    const old = await ask(path)
    const { atime, mtime } = await stat(path)
    await writeFile(path, 'two')
    await utimes(path, atime, mtime)
    expect(await ask(path)).not.toBe(old)
  })

  it('sees that it is gone', async () => {
    await ask(path)
    await unlink(path)
    expect(await ask(path)).toBeNull()
  })
})
