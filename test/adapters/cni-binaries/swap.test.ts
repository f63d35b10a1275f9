import { execFileSync } from 'node:child_process'
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rmdir,
  unlink,
  utimes,
} from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createCniBinaries } from '../../../agent/adapters/cni-binaries/cni-binaries.ts'
import { FakeDocker } from '../../fakes/docker.ts'
import { failureOf } from '../docker/agent-error.ts'
import { temporaryDirectory, write } from './plugins.ts'

const run = '20261122T141503Z-7f3a'
const STAGING = `.calico-agent-${run}.new`
const names = ['calico', 'calico-ipam']
const known = [
  { name: 'calico', existed: true },
  { name: 'calico-ipam', existed: false },
]
const cni = createCniBinaries(new FakeDocker())

let binDir: string
const at = (name: string) => join(binDir, name)
const place = () => ({ binDir, run })

/** calico is live and of the operator's own kind; calico-ipam is new. Both are staged. */
beforeEach(async () => {
  binDir = await temporaryDirectory()
  await write(at('calico'), 'old calico')
  await chown(at('calico'), 12, 34)
  await chmod(at('calico'), 0o4750)
  await utimes(at('calico'), 1_000, 1_000)
  await write(at('loopback'), "another vendor's")
  await mkdir(at(STAGING))
  for (const name of names) await write(at(`${STAGING}/${name}`), `new ${name}`, 0o700)
})

const text = (name: string) => readFile(at(name), 'utf8')
async function facts(name: string) {
  const { mode, uid, gid, mtimeMs, ino } = await lstat(at(name))
  return { mode: (mode & 0o7777).toString(8), uid, gid, mtimeMs, ino }
}

async function swap(): Promise<void> {
  await cni.keep(place(), known)
  for (const name of names) await cni.putInPlace(place(), name)
}

async function undo(): Promise<void> {
  await cni.putBack(place(), 'calico')
  const [, ipam] = await cni.staged(place(), names)
  if (ipam?.sha256 == null) await cni.takeAway(place(), 'calico-ipam', NEW_IPAM)
}
const NEW_IPAM = execFileSync('sha256sum', { input: 'new calico-ipam' }).toString().slice(0, 64)

describe('a swap', () => {
  it('puts the staged plugins in place, with the attributes of the old ones, and keeps those', async () => {
    const old = await facts('calico')
    await swap()
    expect([await text('calico'), await text('calico-ipam')]).toEqual(['new calico', 'new calico-ipam'])
    expect(await facts('calico')).toMatchObject({ mode: '4750', uid: 12, gid: 34 })
    expect(await facts('calico-ipam')).toMatchObject({ mode: '755', uid: process.getuid?.() })
    expect(await facts(`.calico-agent-${run}-calico.old`)).toEqual(old)
    expect((await readdir(binDir)).sort()).toEqual([`.calico-agent-${run}-calico.old`, ...names, 'loopback'])
  })

  it('gives the new one the file capabilities of the old one', async () => {
    execFileSync('setcap', ['cap_net_raw=ep', at('calico')])
    await swap()
    expect(execFileSync('getcap', [at('calico')]).toString()).toContain('cap_net_raw=ep')
  })

  it('is undone byte for byte, inode and times included, as often as it is', async () => {
    const old = await facts('calico')
    await swap()
    for (let times = 0; times < 2; times++) {
      await undo()
      expect(await facts('calico')).toEqual(old)
      expect((await readdir(binDir)).sort()).toEqual(['calico', 'loopback'])
    }
  })

  it('is undone where it never was done, or half', async () => {
    const old = await facts('calico')
    await undo()
    await cni.keep(place(), known)
    await undo()
    expect(await facts('calico')).toEqual(old)
    await cni.keep(place(), known)
    await cni.putInPlace(place(), 'calico')
    await undo()
    expect(await facts('calico')).toEqual(old)
    expect((await readdir(binDir)).sort()).toEqual([STAGING, 'calico', 'loopback'])
    expect(await readdir(at(STAGING))).toEqual(['calico-ipam'])
  })

  it('is done again after it died half-way, and the kept one stays the old one', async () => {
    await cni.keep(place(), known)
    await cni.putInPlace(place(), 'calico')
    await swap()
    expect(await text('calico')).toBe('new calico')
    expect(await text(`.calico-agent-${run}-calico.old`)).toBe('old calico')
  })

  it('goes on and back with what an earlier agent staged', async () => {
    for (const name of names) await rename(at(`${STAGING}/${name}`), at(`.calico-agent-${run}-${name}.new`))
    await rmdir(at(STAGING))
    await cni.keep(place(), known)
    await cni.putInPlace(place(), 'calico')
    expect((await cni.staged(place(), names)).map(({ sha256 }) => sha256)).toEqual([null, NEW_IPAM])
    await swap()
    expect([await text('calico'), await text('calico-ipam')]).toEqual(['new calico', 'new calico-ipam'])
    await undo()
    expect((await readdir(binDir)).sort()).toEqual(['calico', 'loopback'])
    expect(await text('calico')).toBe('old calico')
  })

  it('does not take away what somebody else put there meanwhile', async () => {
    await swap()
    await unlink(at('calico-ipam'))
    await write(at('calico-ipam'), "somebody else's")
    expect((await failureOf(undo())).code).toBe('binary-changed')
    expect(await text('calico-ipam')).toBe("somebody else's")
  })

  it('goes on in a mount of its own, as ReadWritePaths= makes it', async () => {
    execFileSync('mount', ['--bind', binDir, binDir])
    onTestFinished(() => {
      execFileSync('umount', [binDir])
    })
    await swap()
    expect(await text('calico')).toBe('new calico')
  })

  it('says that the file system keeps no links, before anything is replaced', async () => {
    execFileSync('chattr', ['+i', at('calico')])
    onTestFinished(() => {
      execFileSync('chattr', ['-i', at('calico')])
    })
    const error = await failureOf(swap())
    expect(error).toMatchObject({
      code: 'cannot-keep-binary',
      fix: expect.stringContaining('lsattr') as unknown,
    })
    expect(await text('calico')).toBe('old calico')
  })
})
