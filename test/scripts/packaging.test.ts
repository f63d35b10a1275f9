import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseConfig } from '../../agent/config/parse.ts'
import { packageDirectories } from '../../scripts/packaging/bundled.ts'
import {
  debianChangelog,
  epochOf,
  hasUnreleased,
  releaseOf,
  releases,
  rpmChangelog,
} from '../../scripts/packaging/changelog.ts'
import { defaultConfig } from '../../scripts/packaging/default-config.ts'
import { manPage } from '../../scripts/packaging/man-page.ts'
import { codeRows, root, section, textOf } from '../docs/markdown.ts'

describe('the default config', () => {
  const documentation = textOf('docs/configuration.md')
  const config = defaultConfig(documentation)
  // one example shows the keys that the operator names
  const keys = [
    ...new Set(codeRows(section(documentation, '## Keys')).map((key) => key.replace(/\.RELEASE\..*$/, ''))),
  ]

  it('is taken as it stands, and names no component', () => {
    parseConfig(Buffer.from(config), 'agent.yaml')
    expect(['apply', 'window']).toEqual(expect.arrayContaining(Object.keys(parse(config) as object)))
  })

  it('has every key once', () => {
    const everything: unknown = parse(config.replaceAll(/^#(?! \S)/gm, ''))
    for (const key of keys) expect(at(everything, key.split('.')), key).toBeDefined()
    expect(config.match(/^#?(?: {2})*[\w]+: ?\S/gm)?.length).toBe(keys.length)
  })

  it.each(keys)('has %s in a form that is taken', (key) => {
    const path = key.split('.')
    const everything: unknown = parse(config.replaceAll(/^#(?! \S)/gm, ''))
    const alone = path.reduceRight<unknown>((value, name) => ({ [name]: value }), at(everything, path))
    const taken = key.startsWith('fleet.') ? fleetWith(path, everything) : alone
    // a hosted install is changed by the API server, and on it a fleet may meet
    const needed = /^(hosted|fleet[.]kubernetes)[.]/.test(key) ? { kubernetes: {} } : {}
    parseConfig(Buffer.from(JSON.stringify({ ...needed, ...(taken as object) })), 'one-key.yaml')
  })

  /** A fleet meets at one place; the keys of that, and of a section, belong together. */
  function fleetWith([, name = '']: string[], everything: unknown): unknown {
    const place = ['etcd', 'kubernetes', 'fleetlock'].includes(name) ? name : 'etcd'
    return { fleet: Object.fromEntries([place, name].map((part) => [part, at(everything, ['fleet', part])])) }
  }

  const at = (value: unknown, path: string[]): unknown =>
    path.reduce((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value)
})

describe('the man page', () => {
  let page = ''
  beforeAll(() => {
    const help = (...argv: string[]): string =>
      execFileSync(process.execPath, [join(root, 'agent/main.ts'), ...argv, '--help'], { encoding: 'utf8' })
    page = manPage('1.2.3', textOf('docs/commands.md'), help)
  })

  /** As man prints it, in one line. */
  function printed(text: string): { shown: string; warnings: string } {
    const { stdout, stderr } = spawnSync('groff', ['-man', '-Tascii', '-ww', '-rLL=100n', '-P-c'], {
      input: text,
      encoding: 'utf8',
    })
    return { shown: stdout.replaceAll(/.\x08/g, '').replaceAll(/\s+/g, ' '), warnings: stderr }
  }

  it('is what groff takes without a warning', () => {
    expect(printed(page).warnings).toBe('')
    expect(printed(`${page}.NOSUCH\n`).warnings).not.toBe('')
  })

  it('has each command, option and exit code', () => {
    const { shown } = printed(page)
    const documentation = textOf('docs/commands.md')
    const commands = [...documentation.matchAll(/^## (calico-agent [a-z]+)$/gm)].map(
      ([, command = '']) => command,
    )
    const options = [...documentation.matchAll(/^\| `(--[a-z-]+)/gm)].map(([, option = '']) => option)
    expect(commands.length).toBeGreaterThan(5)
    for (const word of [...commands, ...options, 'rolled back, and verified', 'DOCKER_CONFIG'])
      expect(shown).toContain(word)
  })
})

describe('the licences', () => {
  it('are of each package whose files were read, nested ones of their own', () => {
    const files = ['a/lib/x.js', 'a/node_modules/b/y.js', '@c/d/index.js', 'a/z.js']
    expect(packageDirectories(['agent/main.ts', ...files.map((file) => `node_modules/${file}`)])).toEqual([
      'node_modules/@c/d',
      'node_modules/a',
      'node_modules/a/node_modules/b',
    ])
  })
})

describe('the changelog', () => {
  const changelog = `# Changelog

## [Unreleased]

## [1.1.0-rc.1] - 2026-11-27

### Added

- One thing, which is told
  in two lines.
- Another.

### Fixed

- 100% of it.

## [1.0.0] - 2026-11-09

- The first.
`

  it('has the version of package.json as its newest release', () => {
    const { version } = JSON.parse(textOf('package.json')) as { version: string }
    expect(releases(textOf('CHANGELOG.md'))[0]?.version).toBe(version)
    expect(releases(textOf('CHANGELOG.md')).map(({ changes }) => changes.length > 0)).not.toContain(false)
  })

  it('is what Debian reads', () => {
    expect(debianChangelog(changelog, 'Us <us@host>')).toBe(`calico-agent (1.1.0~rc.1) stable; urgency=medium

  * One thing, which is told in two lines.
  * Another.
  * 100% of it.

 -- Us <us@host>  Fri, 27 Nov 2026 00:00:00 +0000

calico-agent (1.0.0) stable; urgency=medium

  * The first.

 -- Us <us@host>  Mon, 09 Nov 2026 00:00:00 +0000
`)
  })

  it('is what rpm reads', () => {
    expect(rpmChangelog(changelog, 'Us <us@host>')).toContain(
      '* Mon Nov 09 2026 Us <us@host> - 1.0.0-1\n- The first.\n',
    )
  })

  it('dates what is packed, and refuses what it does not name', () => {
    expect(new Date(epochOf(releaseOf(changelog, '1.0.0')) * 1000).toISOString()).toBe(
      '2026-11-09T00:00:00.000Z',
    )
    expect(() => releaseOf(changelog, '2.0.0')).toThrow(/cannot pack 2\.0\.0: CHANGELOG\.md has no section/)
  })

  it('tells whether anything is unreleased', () => {
    expect(hasUnreleased(changelog)).toBe(false)
    expect(
      hasUnreleased(changelog.replace('[Unreleased]\n', '[Unreleased]\n\n### Added\n\n- Something.\n')),
    ).toBe(true)
  })
})

describe('scripts/install', () => {
  let directory: string
  let program: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'install-'))
    cpSync(join(root, 'scripts/install'), join(directory, 'install'))
    cpSync(join(root, 'scripts/packaging'), join(directory, 'packaging'), { recursive: true })
    program = join(directory, 'package/usr/bin/calico-agent')
    for (const place of ['bin', 'package/usr/bin']) mkdirSync(join(directory, place), { recursive: true })
  })
  afterAll(() => {
    rmSync(directory, { recursive: true })
  })

  /** On a host that has this C library, for the directory that stands for /. */
  function install(libc: string, agent: string, destdir = '', ...argv: string[]) {
    writeFileSync(join(directory, 'bin/getconf'), `#!/bin/sh\n${libc}\n`)
    writeFileSync(program, agent)
    for (const file of [join(directory, 'bin/getconf'), program]) chmodSync(file, 0o755)
    const env = { PATH: `${directory}/bin:${process.env['PATH']}`, DESTDIR: destdir }
    return spawnSync(join(directory, 'install'), argv, { env, encoding: 'utf8' })
  }

  it.each([
    ['echo glibc 2.17', 'glibc 2.17'],
    ['echo glibc 2.23', 'glibc 2.23'],
    ['echo glibc 2.5', 'glibc 2.5'],
    ['exit 1', 'another C library'],
  ])('refuses a host on which getconf does "%s", and offers the image', (libc, named) => {
    const { status, stdout, stderr } = install(libc, '#!/bin/sh\nexit 1\n')
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain(`it needs glibc 2.28 or later, and this host has ${named}\n`)
    expect(stderr).toContain('fix: run the agent as an image')
  })

  it.each(['2.28', '2.36', '2.100', '3.0'])(
    'takes glibc %s, and tells why the program does not run',
    (libc) => {
      const { status, stderr } = install(`echo glibc ${libc}`, '#!/bin/sh\necho no libstdc++ >&2\nexit 127\n')
      expect(status).toBe(1)
      expect(stderr).toBe('cannot go on: the agent does not run on this host: no libstdc++\n')
    },
  )

  it('asks nothing of this host for a directory that stands for another', () => {
    mkdirSync(join(directory, 'package/etc/calico-agent'), { recursive: true })
    writeFileSync(join(directory, 'package/etc/calico-agent/agent.yaml'), 'window: 90\n')
    const destdir = join(directory, 'root')
    const share = join(destdir, 'usr/local/share')
    const man = 'man8/calico-agent.8.gz'
    mkdirSync(join(directory, 'package/usr/share/man/man8'), { recursive: true })
    writeFileSync(join(directory, 'package/usr/share/man', man), '')
    // of 0.2.0
    mkdirSync(join(share, 'man/man1'), { recursive: true })
    writeFileSync(join(share, 'man/man1/calico-agent.1.gz'), '')
    mkdirSync(join(share, 'zsh/vendor-completions'), { recursive: true })
    writeFileSync(join(share, 'zsh/vendor-completions/_calico-agent'), '')
    expect(install('echo glibc 2.17', 'of another machine', destdir)).toMatchObject({ status: 0, stderr: '' })
    expect(existsSync(join(destdir, 'usr/local/bin/calico-agent'))).toBe(true)
    expect(readdirSync(join(share, 'man/man8'))).toEqual(['agent.8.gz', 'calico-agent.8.gz'])
    expect(readdirSync(join(share, 'man/man1'))).toEqual([])
    expect(readdirSync(join(share, 'zsh/vendor-completions'))).toEqual([])

    const metrics = join(destdir, 'var/lib/prometheus/node-exporter/calico-agent.prom')
    mkdirSync(join(metrics, '..'), { recursive: true })
    writeFileSync(metrics, '')
    expect(install('', 'of another machine', destdir, '--uninstall')).toMatchObject({ status: 0, stderr: '' })
    expect(existsSync(metrics)).toBe(false)
    expect(existsSync(join(destdir, 'usr/local/bin/calico-agent'))).toBe(false)
  })
})
