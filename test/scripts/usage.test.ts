// A wrong word to a script: its usage and exit 2, before anything is installed.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
let clone: string
let programs: string
let called: string

/** A clone in which nothing is installed yet, with programs in reach that tell that they were called. */
beforeAll(() => {
  const directory = mkdtempSync(join(tmpdir(), 'usage-'))
  clone = join(directory, 'clone')
  programs = join(directory, 'bin')
  called = join(directory, 'called')
  mkdirSync(programs)
  cpSync(join(root, 'scripts'), join(clone, 'scripts'), { recursive: true })
  for (const name of ['apt-get', 'npm', 'node'])
    writeFileSync(join(programs, name), `#!/bin/sh\necho ${name} >>${called}\nexit 1\n`, { mode: 0o755 })
})
afterAll(() => {
  rmSync(resolve(clone, '..'), { recursive: true })
})

function run(name: string, ...args: string[]) {
  const env = { ...process.env, PATH: `${programs}:${process.env['PATH']}`, LAB_DIR: join(clone, 'lab') }
  return spawnSync(join(clone, 'scripts', name), args, { env, encoding: 'utf8' })
}

test.each([
  ['bench', '--only', 'nonsense'],
  ['bench', '--rounds', '0'],
  ['demo', '--fast'],
  ['demo', '--naive', '--term'],
  ['test', '--quick'],
  ['test', '-t'],
  ['soak', '--minutes', 'ten'],
  ['soak', 'all'],
  ['package', '--compression', 'zip'],
  ['package', 'deb'],
  ['package', '--arch', 'i386'],
  ['package', '--format', 'zip'],
  ['release', '--out'],
  ['release', '0.2.0'],
  ['lab', 'start'],
  ['lab', 'up', '--hosts', 'two'],
  ['lab', 'run', 'host1'],
  ['lab', 'status', '--json'],
])('%s refuses %s %s', (name, ...args) => {
  const { status, stderr } = run(name, ...args.filter(Boolean))
  expect(status).toBe(2)
  expect(stderr).toMatch(/^Usage: scripts\//)
  expect(existsSync(called)).toBe(false)
})

test.each(['--help', '--uninstall'])('install refuses a word after %s', (word) => {
  const script = join(clone, 'scripts/install')
  const env = { ...process.env, DESTDIR: join(clone, 'host') }
  const { status, stderr } = spawnSync(script, [word, 'now'], { env, encoding: 'utf8' })
  expect({ status, usage: stderr.split('\n')[0] }).toEqual({
    status: 2,
    usage: 'Usage: [PREFIX=/usr/local] [DESTDIR=] ./install [--uninstall]',
  })
})

test('lab status installs nothing', () => {
  expect(run('lab', 'status')).toMatchObject({ status: 1, stdout: 'no lab is running: ./scripts/lab up\n' })
  expect(existsSync(called)).toBe(false)
  expect(readdirSync(clone)).toEqual(['scripts'])
})
