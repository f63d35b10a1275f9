import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCniConfigs } from '../../../agent/adapters/cni-config.ts'

const configs = createCniConfigs()
const OLD = JSON.stringify({ type: 'calico', note: 'x'.repeat(9_000) })

let mount: string
let path: string
let wayBack: string

beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), 'calico-agent-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount])
  path = join(mount, '10-calico.conf')
  wayBack = join(mount, '.10-calico.conf.calico-agent-RUN.old')
  await writeFile(path, OLD)
})

afterEach(async () => {
  execFileSync('umount', [mount])
  await rmdir(mount)
})

const fill = (): Promise<void> => writeFile(join(mount, 'ballast'), 'x'.repeat(65_536)).catch(() => undefined)
const times = async (): Promise<string> => {
  const { ino, mtimeNs } = await stat(path, { bigint: true })
  return `${ino} ${mtimeNs}`
}

describe('a CNI config on a full disk', () => {
  it('is not replaced, and stays as it was', async () => {
    const before = await times()
    await fill()
    await expect(configs.replace(path, OLD.replace('calico', 'other'), wayBack)).rejects.toMatchObject({
      code: 'cannot-write',
      message: `cannot write ${path}: no space left on device`,
    })
    expect([await readFile(path, 'utf8'), await times()]).toEqual([OLD, before])
    await configs.restore(path, OLD, wayBack)
    expect([await readFile(path, 'utf8'), await times()]).toEqual([OLD, before])
    expect((await readdir(mount)).sort()).toEqual(['10-calico.conf', 'ballast'])
  })

  it('comes back all the same: the way back needs no space', async () => {
    const before = await times()
    await configs.replace(path, `${OLD} `, wayBack)
    await fill()
    await configs.restore(path, OLD, wayBack)
    expect([await readFile(path, 'utf8'), await times()]).toEqual([OLD, before])
    await rm(join(mount, 'ballast'))
    expect(await readdir(mount)).toEqual(['10-calico.conf'])
  })
})
