import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createCniBinaries } from '../../../agent/adapters/cni-binaries/cni-binaries.ts'
import { FakeDocker } from '../../fakes/docker.ts'
import { programByName } from '../../lab/cni-plugin.ts'
import { failureOf } from '../docker/agent-error.ts'
import { foreignProgram, pluginBytes, signal, temporaryDirectory, write } from './plugins.ts'

const RUN = '20261122T141503Z-7f3a'
const EARLIER = '20261121T141503Z-0001'
const cni = createCniBinaries(new FakeDocker())

let source: string
let binDir: string

beforeEach(async () => {
  const path = await temporaryDirectory()
  source = join(path, 'source')
  binDir = join(path, 'bin')
  await mkdir(source)
  await mkdir(binDir)
})

const names = ['calico', 'calico-ipam']
const STAGING = `.calico-agent-${RUN}.new`
const stagedAs = (name: string) => `${STAGING}/${name}`
/** All that the directory has, with the files of its directories. */
const files = async () =>
  (await readdir(binDir, { recursive: true })).filter((file) => file !== STAGING).sort()
const staged = () => names.map(stagedAs).sort()

async function stage({ sha256 = null as string | null, cniVersion = null as string | null } = {}) {
  const binaries = names.map((name) => ({ name, sha256: name === 'calico' ? sha256 : null }))
  const request = { source: { kind: 'directory', path: source } as const, binaries, cniVersion }
  return await cni.stage({ binDir, run: RUN }, request, signal)
}

describe('stage', () => {
  beforeEach(async () => {
    await write(join(source, 'calico'), await pluginBytes('ptp'))
    await write(join(source, 'calico-ipam'), await pluginBytes('host-local'))
  })

  it('tries each under its own name: from v3.16 on it acts by that', async () => {
    for (const name of names) await write(join(source, name), await programByName('v3.26.1'))
    expect((await stage()).map(({ name, version }) => `${name} ${version ?? ''}`)).toEqual([
      'calico v3.26.1',
      'calico-ipam v3.26.1',
    ])
    // the control: under another name it panics
    const other = await write(join(binDir, '.calico.new'), await programByName('v3.26.1'))
    expect(await cni.cniVersions(other)).toEqual({
      failure: 'it exited with code 2: panic: Unknown binary name',
    })
  })

  it('takes back what an earlier run kept, whatever it is', async () => {
    await write(join(binDir, `.calico-agent-${EARLIER}-calico.old`), '#!/bin/sh\nexit 1\n')
    const kept = { kind: 'kept', binDir, run: EARLIER } as const
    const request = (sha256: string) => ({
      source: kept,
      binaries: [{ name: 'calico', sha256 }],
      cniVersion: null,
    })
    const [facts] = await cni.kept({ binDir, run: EARLIER }, ['calico'])
    await cni.stage({ binDir, run: RUN }, request(facts?.sha256 ?? ''), signal)
    expect(await files()).toEqual([`.calico-agent-${EARLIER}-calico.old`, stagedAs('calico')])
    const other = cni.stage({ binDir, run: RUN }, request('0'.repeat(64)), signal)
    expect((await failureOf(other)).code).toBe('cni-binary-checksum')
  })

  it('puts the plugins beside the live ones, and the live ones stay', async () => {
    await write(join(binDir, 'calico'), 'live')
    const [calico, ipam] = await stage()
    expect(calico).toMatchObject({ name: 'calico', version: null })
    expect(ipam?.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(await files()).toEqual([...staged(), 'calico'])
    expect(await readFile(join(binDir, 'calico'), 'utf8')).toBe('live')
    expect(
      (await readFile(join(binDir, stagedAs('calico')))).equals(await readFile(join(source, 'calico'))),
    ).toBe(true)
  })

  it('prints the version that the plugin prints', async () => {
    expect(await cni.version(await write(join(binDir, 'v'), '#!/bin/sh\necho v2.0.6\n'))).toBe('v2.0.6')
    expect(await cni.version(await write(join(binDir, 'w'), '#!/bin/sh\nexit 1\n'))).toBeNull()
  })

  it('works through a link to the directory', async () => {
    const link = join(binDir, '../link')
    await symlink('bin', link)
    binDir = link
    await stage()
    expect(await files()).toEqual(staged())
  })

  it.each([
    ['another run', `.calico-agent-${EARLIER}.new/`, ''],
    ['an earlier agent', `.calico-agent-${EARLIER}-`, '.new'],
  ])('takes over what %s staged, where it is what is wanted', async (_who, before, after) => {
    const bytes = await pluginBytes('ptp')
    await mkdir(join(binDir, `${before}calico${after}`, '..'), { recursive: true })
    await write(join(binDir, `${before}calico${after}`), bytes)
    await write(join(binDir, `${before}calico-ipam${after}`), 'stale')
    const [facts] = await cni.offered({ kind: 'directory', path: source }, ['calico'], signal)
    // its source is not asked
    await write(join(source, 'calico'), 'gone by now')
    await stage({ sha256: facts?.sha256 ?? null })
    expect(await files()).toEqual(staged())
    expect((await readFile(join(binDir, stagedAs('calico')))).equals(bytes)).toBe(true)
  })

  it('begins afresh after a try that died in the middle', async () => {
    await mkdir(join(binDir, STAGING))
    await write(join(binDir, stagedAs('calico')), 'half')
    await stage()
    expect((await readFile(join(binDir, stagedAs('calico')))).length).toBeGreaterThan(1_000)
  })

  it.each<[string, string, () => Promise<Buffer | string>, number]>([
    ['cni-binary-invalid', 'it is not an ELF program', () => Promise.resolve('#!/bin/sh\n'), 0o755],
    ['cni-binary-invalid', 'it is not an ELF program', () => Promise.resolve(''), 0o755],
    ['cni-binary-invalid', 'not executable', () => pluginBytes('ptp'), 0o644],
    ['cni-binary-wrong-architecture', 'built for arm64', () => Promise.resolve(foreignProgram()), 0o755],
    ['cni-binary-does-not-start', 'its answer to CNI VERSION is empty', () => readFile('/bin/true'), 0o755],
    [
      'cni-binary-does-not-start',
      'killed by SIGSEGV',
      async () => (await pluginBytes('ptp')).subarray(0, 900_000),
      0o755,
    ],
  ])('refuses with %s: %s', async (code, words, content, mode) => {
    await write(join(source, 'calico'), await content())
    await chmod(join(source, 'calico'), mode)
    const error = await failureOf(stage())
    expect({ code: error.code, message: error.message }).toEqual({
      code,
      message: expect.stringContaining(words) as unknown,
    })
    expect(error.message).toMatch(/^cannot use the CNI plugin calico: /)
    await cni.unstage({ binDir, run: RUN }, names, { kind: 'directory', path: source })
    expect(await readdir(binDir)).toEqual([])
  })

  it('refuses another content than the pinned one', async () => {
    expect((await failureOf(stage({ sha256: '0'.repeat(64) }))).code).toBe('cni-binary-checksum')
  })

  it('refuses a cniVersion that the plugin does not know', async () => {
    await stage({ cniVersion: '0.4.0' })
    const error = await failureOf(stage({ cniVersion: '9.9.9' }))
    expect(error.message).toMatch(/sets cniVersion 9\.9\.9, and it supports 0\.1\.0, /)
  })

  it('says that the disk is full, and leaves nothing', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', binDir])
    onTestFinished(() => {
      execFileSync('umount', [binDir])
    })
    const error = await failureOf(stage())
    expect(error.message).toMatch(/^cannot stage .*: no space left on device$/)
    expect(error.fix).toContain('df -h')
    expect(await readdir(binDir)).toEqual([])
  })

  it('says that a file system runs no programs', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'tmpfs', binDir])
    onTestFinished(() => {
      execFileSync('umount', [binDir])
    })
    expect((await failureOf(stage())).message).toContain('may be mounted noexec')
  })
})

describe('a rehearsal', () => {
  it('says before the swap that a plugin cannot be kept, and leaves no link', async () => {
    await write(join(source, 'calico'), await pluginBytes('ptp'))
    await write(join(source, 'calico-ipam'), await pluginBytes('host-local'))
    await write(join(binDir, 'calico'), 'live')
    execFileSync('chattr', ['+i', join(binDir, 'calico')])
    onTestFinished(() => {
      execFileSync('chattr', ['-i', join(binDir, 'calico')])
    })
    expect((await failureOf(stage())).code).toBe('cannot-keep-binary')
    await cni.unstage({ binDir, run: RUN }, names, { kind: 'directory', path: source })
    expect(await readdir(binDir)).toEqual(['calico'])
  })
})

describe('directoryProblem', () => {
  it('is none where plugins can be put', async () => {
    await write(join(binDir, 'calico'), '')
    expect(await cni.directoryProblem(binDir, names)).toBeNull()
  })

  it.each<[string, () => Promise<unknown>, string]>([
    ['is missing', () => Promise.resolve((binDir = '/no/such')), 'no such directory'],
    ['is a file', async () => (binDir = await write(join(source, 'f'), '')), 'it is not a directory'],
    [
      'has a plugin that is a link',
      () => symlink('/opt/calico', join(binDir, 'calico')),
      'it is a symbolic link to',
    ],
    ['has a plugin that is a directory', () => mkdir(join(binDir, 'calico')), 'it is not a regular file'],
  ])('says that it %s', async (_what, prepare, words) => {
    await prepare()
    expect((await cni.directoryProblem(binDir, names))?.message).toContain(words)
  })

  it('says that its file system is read-only', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', binDir])
    onTestFinished(() => {
      execFileSync('umount', [binDir])
    })
    expect((await cni.directoryProblem(binDir, names))?.message).toBe(
      `cannot install CNI plugins in ${binDir}: read-only file system`,
    )
  })
})

describe('nodenameOptional', () => {
  it.each([
    ['10-calico.conf', '{"type":"calico","nodename_file_optional":true}', true],
    ['10-calico.conflist', '{"plugins":[{"type":"calico","nodename_file_optional":true}]}', true],
    ['10-calico.conf', '{"type":"calico"}', false],
    ['10-calico.conf', 'no JSON', false],
    ['10-calico.conf', 'null', false],
    ['10-calico.conf.bak', '{"nodename_file_optional":true}', false],
  ])('%s with %s says %s', async (name, text, optional) => {
    await write(join(source, name), text)
    expect(await cni.nodenameOptional(source)).toBe(optional)
  })
})
