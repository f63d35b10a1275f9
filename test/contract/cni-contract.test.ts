import { createHash } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { createCniBinaries } from '../../agent/adapters/cni-binaries/cni-binaries.ts'
import type { CniBinaries } from '../../agent/ports/cni-binaries.ts'
import { pluginBytes, temporaryDirectory, write } from '../adapters/cni-binaries/plugins.ts'
import { FakeCniBinaries } from '../fakes/cni-binaries.ts'
import { FakeDocker } from '../fakes/docker.ts'

const run = '20261122T141503Z-7f3a'
const signal = new AbortController().signal
const names = ['calico', 'calico-ipam']
const known = [
  { name: 'calico', existed: true },
  { name: 'calico-ipam', existed: false },
]

interface Subject {
  cni: CniBinaries
  binDir: string
  source: string
  /** Every file of the directory. */
  files(): Promise<string[]>
  old: string
  next: string[]
}

async function real(): Promise<Subject> {
  const path = await temporaryDirectory()
  const [binDir, source] = [join(path, 'bin'), join(path, 'source')]
  await Promise.all([mkdir(binDir), mkdir(source)])
  const contents = [await pluginBytes('ptp', 'new'), await pluginBytes('host-local', 'new')]
  for (const [i, name] of names.entries()) await write(join(source, name), contents[i] ?? '')
  await write(join(binDir, 'calico'), 'old')
  const hash = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')
  const files = async () => (await readdir(binDir)).sort()
  const cni = createCniBinaries(new FakeDocker())
  return { cni, binDir, source, files, old: hash('old'), next: contents.map(hash) }
}

function fake(): Promise<Subject> {
  const cni = new FakeCniBinaries()
  for (const name of names) cni.source.set(name, `new ${name}`)
  cni.files.set('/bin/calico', 'old')
  const files = () => Promise.resolve([...cni.files.keys()].map((path) => path.slice(5)).sort())
  const next = names.map((name) => `new ${name}`)
  return Promise.resolve({ cni, binDir: '/bin', source: '/source', files, old: 'old', next })
}

describe.each([
  ['real plugins', real],
  ['fake ones', fake],
])('the contract of %s', (_name, make) => {
  let at: Subject
  beforeEach(async () => {
    at = await make()
  })

  const place = () => ({ binDir: at.binDir, run })
  const hashes = async (facts: Promise<{ sha256: string | null }[]>) =>
    (await facts).map(({ sha256 }) => sha256)
  const stage = () => {
    const binaries = names.map((name) => ({ name, sha256: null }))
    const source = { kind: 'directory', path: at.source } as const
    return at.cni.stage(place(), { source, binaries, cniVersion: null }, signal)
  }

  it('offers and stages what the source has; nothing live is touched', async () => {
    const source = { kind: 'directory', path: at.source } as const
    expect(await hashes(at.cni.offered(source, names, signal))).toEqual(at.next)
    expect((await stage()).map(({ sha256 }) => sha256)).toEqual(at.next)
    expect(await hashes(at.cni.staged(place(), names))).toEqual(at.next)
    expect(await hashes(at.cni.installed(at.binDir, names))).toEqual([at.old, null])
    await at.cni.unstage(place(), names, source)
    expect(await at.files()).toEqual(['calico'])
  })

  it('swaps each once, however often, and keeps the first', async () => {
    await stage()
    for (let times = 0; times < 2; times++) {
      await at.cni.keep(place(), known)
      for (const name of names) await at.cni.putInPlace(place(), name)
    }
    expect(await hashes(at.cni.installed(at.binDir, names))).toEqual(at.next)
    expect(await hashes(at.cni.kept(place(), names))).toEqual([at.old, null])
    expect(await at.files()).toEqual([`.calico-agent-${run}-calico.old`, ...names])
  })

  it('goes back, however often', async () => {
    await stage()
    await at.cni.keep(place(), known)
    for (const name of names) await at.cni.putInPlace(place(), name)
    for (let times = 0; times < 2; times++) {
      await at.cni.putBack(place(), 'calico')
      await at.cni.takeAway(place(), 'calico-ipam', at.next[1] ?? '')
    }
    expect(await hashes(at.cni.installed(at.binDir, names))).toEqual([at.old, null])
    expect(await at.files()).toEqual(['calico'])
  })

  it('takes nothing away that is not of the run', async () => {
    await expect(at.cni.takeAway(place(), 'calico', 'f'.repeat(64))).rejects.toMatchObject({
      code: 'binary-changed',
    })
    expect(await at.files()).toEqual(['calico'])
  })
})
