import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const projects: string[] = []

afterEach(() => {
  for (const project of projects.splice(0)) rmSync(project, { recursive: true })
})

/** A small project under this project's own settings, on which every check passes. */
const sound = {
  'package.json': '{\n  "name": "sound",\n  "type": "module"\n}\n',
  'knip.json': '{ "entry": ["agent/main.ts"], "project": ["agent/**/*.ts"] }\n',
  'agent/main.ts': "import { two } from './core/two.ts'\n\nconsole.log(two)\n",
  'agent/core/two.ts': 'export const two = 2\n',
  'scripts/build.ts': "console.log('built')\n",
  'test/core/two.test.ts': "import '../../agent/core/two.ts'\n",
}

const settings = ['.dependency-cruiser.cjs', '.gitignore', 'biome.json', 'eslint.config.js', 'tsconfig.json']

function project(files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'check-'))
  projects.push(dir)
  for (const name of settings) cpSync(join(root, name), join(dir, name))
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  for (const [name, text] of Object.entries({ ...sound, ...files })) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text)
  }
  return dir
}

function check(dir: string, ...names: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts/check.ts'), ...names], {
    cwd: dir,
    encoding: 'utf8',
  })
  return { status, output: `${stdout}${stderr}` }
}

test('a sound project passes all checks', () => {
  const { status, output } = check(project({}))
  expect(output).toMatch(/^all checks passed$/m)
  expect(status).toBe(0)
})

test.each([
  ['format', 'agent/core/two.ts', 'export const two   = 2\n', 'Formatter would have printed'],
  ['types', 'agent/core/two.ts', "export const two: number = 'two'\n", 'TS2322'],
  [
    'lint',
    'agent/core/two.ts',
    'export const two = 2\nPromise.resolve(two)\n',
    '@typescript-eslint/no-floating-promises',
  ],
  ['layers', 'agent/core/two.ts', "export { sep as two } from 'node:path'\n", 'agent/core/two.ts → path'],
  ['unused', 'agent/core/two.ts', 'export const two = 2\nexport const three = 3\n', 'three'],
])('%s refuses what it is there for', (name, file, text, words) => {
  const { status, output } = check(project({ [file]: text }), name)
  expect(output).toContain(words)
  expect(output).toMatch(new RegExp(`^failed checks: ${name}$`, 'm'))
  expect(status).toBe(1)
})

test('an unknown check is bad usage', () => {
  const { status, output } = check(root, 'colour')
  expect(output).toContain('no such check: colour')
  expect(status).toBe(2)
})
