// What Ansible's own tools say of the collection. They need no lab.

import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { root } from '../docs/markdown.ts'
import { buildAnsibleLint, type ExecResult } from '../lab/index.ts'
import { program } from './program.ts'

const NAME = 'ansible_collections/calico_host/agent'

let directory: string
let tools: string

beforeAll(async () => {
  tools = join(await buildAnsibleLint(), 'lib')
  directory = await mkdtemp(join(tmpdir(), 'calico-agent-collection-'))
  await cp(join(root, 'scripts/ansible'), join(directory, NAME), { recursive: true })
})
afterAll(() => rm(directory, { recursive: true }))

/** Runs a Python program in the collection. */
const python = (...argv: string[]): Promise<ExecResult> =>
  program(['env', '-C', join(directory, NAME), '/usr/bin/python3', ...argv], {
    ANSIBLE_COLLECTIONS_PATH: directory,
    HOME: directory,
    LC_ALL: 'C.UTF-8',
    PATH: `${join(tools, 'bin')}:/usr/bin:/bin`,
    PYTHONPATH: tools,
  })

it('ansible-lint finds nothing by its production profile', async () => {
  const { code, stdout, stderr } = await python('-m', 'ansiblelint', '--offline', '--nocolor')
  expect(code, stdout + stderr).toBe(0)
  expect(stderr).toContain("Profile 'production' was required, and it passed.")
})

it('validate-modules of ansible-test finds nothing but the licence, which is not Ansible’s own', async () => {
  const modules = (await readdir(join(directory, NAME, 'plugins/modules'))).sort()
  const validate = join(tools, 'ansible_test/_util/controller/sanity/validate-modules/validate.py')
  const flags = ['--format', 'json', '--arg-spec', '--collection', NAME, '--collection-version', '0.1.0']
  const { stdout, stderr } = await python(
    validate,
    ...flags,
    ...modules.map((name) => `plugins/modules/${name}`),
  )
  expect(stderr).toBe('')
  const found = Object.entries(JSON.parse(stdout) as Record<string, { errors: { code: string }[] }>)
  const codes = found.flatMap(([path, { errors }]) =>
    errors.map(({ code }) => `${path} validate-modules:${code}`),
  )
  const ignored = await readFile(join(directory, NAME, 'tests/sanity/ignore-2.19.txt'), 'utf8')
  expect(`${codes.sort().join('\n')}\n`).toBe(ignored.replaceAll(/ #.*/g, ''))
})
