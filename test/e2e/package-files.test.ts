// The files of a release, as Debian's and Red Hat's own tools see them. `scripts/release` asks the same of all of them.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundledPackages } from '../../scripts/packaging/bundled.ts'
import { sbom } from '../../scripts/packaging/sbom.ts'
import { checkDeb, checkRpm, checkSbom, runArm64, sha256 } from '../../scripts/releasing/checks.ts'
import { run } from '../../scripts/run.ts'
import { root, textOf } from '../docs/markdown.ts'
import { pack } from './packages.ts'

const exec = promisify(execFile)
const { version } = JSON.parse(textOf('package.json')) as { version: string }

let directory: string
/** Built by scripts/test, and by this test elsewhere. */
const [built, again] = [join(root, 'dist'), () => join(directory, 'again')]
let deb: string
let rpm: string
let archive: string
let files: string[]
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-agent-files-'))
  files = await pack(directory, [])
  ;[deb = '', rpm = '', archive = ''] = files
})
afterAll(() => rm(directory, { recursive: true }))

describe('a second build', () => {
  beforeAll(async () => {
    const argv = ['--arch', 'amd64', '--arch', 'arm64', '--out', again()]
    await exec(
      'sh',
      ['-c', 'umask 077; exec "$0" "$@"', process.execPath, join(root, 'scripts/build.ts'), ...argv],
      {
        cwd: directory,
      },
    )
  })

  it('makes the same executable, and of it the same packages', async () => {
    expect(await sha256(join(again(), 'agent'))).toBe(await sha256(join(built, 'agent')))
    const elsewhere = { ...process.env, TZ: 'Pacific/Kiritimati', LC_ALL: 'C', HOME: directory }
    const umask = process.umask(0o077)
    const others = await pack(again(), ['--from', again()], elsewhere).finally(() => process.umask(umask))
    expect(others.map((file) => basename(file))).toEqual(files.map((file) => basename(file)))
    for (const [i, file] of files.entries())
      expect(await sha256(others[i] ?? ''), basename(file)).toBe(await sha256(file))
  })

  it('makes an agent that runs on arm64', async () => {
    const config = join(directory, 'agent.yaml')
    await writeFile(config, 'docker:\n  socket: /nowhere/docker.sock\n')
    // a start takes 4 s of a CPU under qemu
    expect(() => runArm64(join(again(), 'agent-arm64'), 'status', '--config', config)).toThrow(
      /exited 3[^]*\/nowhere\/docker\.sock/,
    )
  })
})

describe('the Debian package', () => {
  it('is one in which lintian finds nothing but what --compression none asks for', () => {
    const tags = ['uses-no-compression-for-control-tarball', 'uses-no-compression-for-data-tarball']
    // these two read all of Node for its words and its libraries: scripts/release has the time
    const slow = ['binaries/spelling', 'libraries/embedded']
    checkDeb(deb, ['--suppress-tags', tags.join(','), '--dont-check-part', slow.join(',')])
  })

  it('stays off a host whose C library is too old, and names the image', async () => {
    const control = join(directory, 'control')
    run('dpkg-deb', ['--control', deb, control])
    const old = join(directory, 'getconf')
    await writeFile(old, '#!/bin/sh\necho glibc 2.17\n', { mode: 0o755 })
    const preinst = (PATH: string): string => run(join(control, 'preinst'), ['install'], { env: { PATH } })
    expect(() => preinst(`${directory}:/usr/bin:/bin`)).toThrow(
      /needs glibc 2\.28 or later, and this host has glibc 2\.17\n {2}fix: run the agent as an image/,
    )
    preinst('/usr/bin:/bin')
  })
})

it("no package brings a Docker, which would be a second one beside the host's own", () => {
  const field = (name: string): string => run('dpkg-deb', ['--field', deb, name])
  const ofRpm = ['--requires', '--recommends'].map((kind) => run('rpm', ['--query', '--package', kind, rpm]))
  for (const wanted of [field('Depends'), field('Recommends'), ...ofRpm])
    expect(wanted).not.toMatch(/docker|moby|containerd/)
  expect(field('Suggests')).toContain('docker-ce')
  expect(run('rpm', ['--query', '--package', '--suggests', rpm])).toBe('docker-ce\n')
})

describe('the RPM', () => {
  const query = (...argv: string[]): string[] =>
    run('rpm', ['--query', '--package', ...argv, rpm])
      .trim()
      .split('\n')

  it('is whole, and asks for libraries that RHEL 8 has', () => {
    checkRpm(rpm)
  })

  it('has the files of the Debian package where Red Hat has them, as root has them', () => {
    const entries = run('dpkg-deb', ['--contents', deb]).trim().split('\n')
    const ofDebian = entries
      .map((entry) => entry.split(/ \./).at(-1) ?? '')
      .filter((path) => !path.endsWith('/'))
    const onlyDebian = /\/lintian\/|\/changelog\.gz$/
    const onlyRpm = /\/system-preset\/|\/licenses\//
    const expected = ofDebian
      .filter((path) => !onlyDebian.test(path))
      .map((path) => path.replace('vendor-completions', 'site-functions'))
    const listed = query(
      '--queryformat',
      '[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILENAMES}\n]',
    )
    const own = listed.filter((line) => line.startsWith('-')).map((line) => line.split(' ').at(-1) ?? '')
    expect(own.filter((path) => !onlyRpm.test(path)).sort()).toEqual(expected.sort())
    expect(listed.filter((line) => !/^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--) root root \//.test(line))).toEqual(
      [],
    )
    expect(query('--configfiles')).toEqual(['/etc/calico-agent/agent.yaml'])
  })
})

it("the archive has the completion of zsh where each zsh looks, the Debian package where Debian's does", () => {
  const completions = (paths: string): string[] => paths.match(/usr\/share\/zsh\/.*_calico-agent$/gm) ?? []
  expect(completions(run('tar', ['--list', '--file', archive]))).toEqual([
    'usr/share/zsh/site-functions/_calico-agent',
  ])
  expect(completions(run('dpkg-deb', ['--contents', deb]))).toEqual([
    'usr/share/zsh/vendor-completions/_calico-agent',
  ])
})

describe('the SBOM', () => {
  it('is CycloneDX, and has every package of the bundle, and Node with its OpenSSL', async () => {
    const text = await sbom(root, built, version, 1_795_737_600)
    const file = join(directory, 'sbom.json')
    await writeFile(file, text)
    await checkSbom(file)
    await writeFile(file, text.replace('"version": 1,', '"version": "one",'))
    await expect(checkSbom(file)).rejects.toThrow('cannot use')
    const names = (JSON.parse(text) as { components: { purl: string }[] }).components.map(({ purl }) => purl)
    const bundled = await bundledPackages(root, built)
    expect(names).toEqual(
      expect.arrayContaining(
        bundled.map(({ name, version: of }) => `pkg:npm/${name.replace('@', '%40')}@${of}`),
      ),
    )
    expect(names).toContain(`pkg:generic/node@${process.versions.node}`)
    expect(text).toContain(`"bom-ref": "node/openssl@${process.versions.openssl}"`)
  })
})

it('copyright names the licence of each package in the form that Debian reads', async () => {
  const copyright = await readFile(join(directory, 'package/usr/share/doc/calico-agent/copyright'), 'utf8')
  for (const { directory: where, name, version: of } of await bundledPackages(root, built)) {
    const paragraph = copyright.split('\nFiles: ').find((text) => text.startsWith(`${where}/*\n`))
    expect(paragraph, name).toMatch(/^.*\nCopyright: \S/)
    expect(paragraph, name).toContain(`\nComment: ${name} ${of}\nLicense: `)
  }
})
