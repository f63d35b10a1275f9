import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runProgram } from '../../agent/adapters/run-program.ts'
import { createUnitFiles } from '../../agent/adapters/unit-files/unit-files.ts'

const unitFiles = createUnitFiles()

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'units-'))
})
afterEach(() => rm(home, { recursive: true }))

async function files(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(join(home, name, '..'), { recursive: true })
    await writeFile(join(home, name), `# ${name}\n`)
  }
}

it.each([
  ['*.env', ['a.env', 'b.env']],
  ['?.env', ['a.env', 'b.env']],
  ['[!a]*.env', ['b.env']],
  ['[a-b].env', ['a.env', 'b.env']],
  ['*/c.env', ['sub/c.env']],
  ['.*.env', ['.h.env']],
  ['no*', []],
  ['none.env', ['none.env']],
  ['a.en.', ['a.en.']],
])('the pattern %s is expanded as glob(7) has it', async (pattern, found) => {
  await files('b.env', 'a.env', 'aXenv', '.h.env', 'sub/c.env')
  expect(await unitFiles.expand(join(home, pattern))).toEqual(found.map((name) => join(home, name)))
})

it('a script is read, and nothing else', async () => {
  await files('script')
  await writeFile(join(home, 'program'), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]))
  await writeFile(join(home, 'latin'), Buffer.from([0x23, 0xe4, 0x0a]))
  await runProgram('mkfifo', [join(home, 'fifo')], 5_000)
  await symlink(join(home, 'script'), join(home, 'link'))
  const read = (name: string) => unitFiles.readScript(join(home, name))
  expect(await read('script')).toBe('# script\n')
  expect(await read('link')).toBe('# script\n')
  expect(await read('latin')).toContain('#')
  expect([await read('program'), await read('fifo'), await read('none'), await read('.')]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

it('what can be written is told by the directory, or the one that it will be made in', async () => {
  await files('a.conf')
  expect(await unitFiles.isWritable(join(home, 'a.conf'))).toBe(true)
  expect(await unitFiles.isWritable(join(home, 'new.d', 'a.conf'))).toBe(true)
})
