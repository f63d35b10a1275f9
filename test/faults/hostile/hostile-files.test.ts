// Files that somebody put there to harm: the agent as it is shipped ends in time and small, and says why.

import { execFile, execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Report } from '../../../agent/core/report/report.ts'

const root = resolve(import.meta.dirname, '../../..')
const measure = join(import.meta.dirname, 'measure.cjs')
/** The agent alone takes 100 to 150; a hostile file that was read would add as much. */
const MEGABYTES = 190
/** Far above what a loaded machine needs, and far below what a bomb takes. */
const SECONDS = 10
/** Whatever waits for a FIFO waits for ever. */
const HANGS_MS = 30_000

let dir: string
let state: string
let agent: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'calico-agent-hostile-'))
  const argv = ['scripts/build.ts', '--out', dir, '--bundle-only']
  execFileSync(process.execPath, argv, { cwd: root, stdio: 'pipe' })
  agent = join(dir, 'agent.cjs')
})

beforeEach(async () => {
  state = await mkdtemp(join(dir, 'state-'))
  await mkdir(join(state, 'runs'), { mode: 0o700 })
})

afterAll(async () => {
  await rm(dir, { recursive: true })
})

/** What is at the path, each with what the agent says of it as a config and as a journal. */
const files: [string, (path: string) => unknown, { config: RegExp; journal: RegExp }][] = [
  ['a FIFO', (path) => execFileSync('mkfifo', [path]), both(/not a regular file/)],
  ['a directory', (path) => mkdir(path), both(/not a regular file|is a directory/)],
  [
    'an endless device',
    (path) => symlink('/dev/zero', path),
    { config: /not a regular file/, journal: /symbolic link/ },
  ],
  [
    'a symlink to itself',
    (path) => symlink(path, path),
    { config: /symbolic links/, journal: /symbolic link/ },
  ],
  ['100 MB of text', (path) => sized(path, 100e6, '# '), { config: /larger than/, journal: /larger than/ }],
  ['100 MB of nothing', (path) => sized(path, 100e6, ''), { config: /larger than/, journal: /larger than/ }],
  ['16 MB of a line without end', (path) => sized(path, 16e6, '0'), { config: /larger than/, journal: /^$/ }],
  [
    'an executable',
    (path) => writeFile(path, Buffer.from('7f454c4602fffe0a00', 'hex')),
    { config: /not UTF-8 text/, journal: /checksum/ },
  ],
  [
    'deep nesting',
    (path) => writeFile(path, deepJson(30_000)),
    { config: /nested too deeply|cannot read/, journal: /checksum/ },
  ],
  ['an alias bomb', (path) => writeFile(path, bomb()), { config: /cannot read|alias/i, journal: /checksum/ }],
]

function both(words: RegExp): { config: RegExp; journal: RegExp } {
  return { config: words, journal: words }
}

async function sized(path: string, bytes: number, begin: string): Promise<void> {
  const file = await open(path, 'w')
  await file.write(begin.padEnd(100, 'x'))
  await file.truncate(bytes)
  await file.close()
}

const deepJson = (depth: number): string => `${'['.repeat(depth / 2)}${']'.repeat(depth / 2)}\n`

function bomb(): string {
  const level = (i: number): string => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`
  return `${['l0: &l0 [x]', ...Array.from({ length: 12 }, (_, i) => level(i))].join('\n')}\n`
}

interface Ended {
  code: number | null
  report: Report
  megabytes: number
  seconds: number
}

async function run(...args: string[]): Promise<Ended> {
  const argv = ['--require', measure, agent, ...args, '--state-dir', state, '--json']
  return await new Promise((settle, reject) => {
    const child = execFile(process.execPath, argv, { timeout: HANGS_MS }, (_error, stdout, stderr) => {
      if (child.signalCode !== null) {
        reject(new Error(`it hangs: ${stdout}${stderr}`))
        return
      }
      const took = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '') as Pick<
        Ended,
        'megabytes' | 'seconds'
      >
      settle({ code: child.exitCode, report: JSON.parse(stdout) as Report, ...took })
    })
  })
}

function expectSmall({ megabytes, seconds }: Ended): void {
  expect(megabytes).toBeLessThan(MEGABYTES)
  expect(seconds).toBeLessThan(SECONDS)
}

describe('a config that is', () => {
  it.each(files)('%s is refused, at once and at no cost', async (_, put, { config }) => {
    const path = join(state, 'agent.yaml')
    await put(path)
    const ended = await run('resume', '--config', path)
    expect(ended).toMatchObject({ code: 2, report: { outcome: 'refused' } })
    expect(ended.report.problems).not.toEqual([])
    for (const { code, message } of ended.report.problems) {
      expect(code).toBe('bad-config')
      expect(message).toMatch(config)
    }
    expectSmall(ended)
  })
})

describe('a journal that is', () => {
  it.each(files)('%s is refused, at once and at no cost', async (_, put, { journal }) => {
    await put(join(state, 'runs/20261122T141503Z-7f3a.jsonl'))
    const ended = await run('resume')
    const message = ended.report.problems.map((problem) => problem.message).join()
    expect(message).toMatch(journal)
    expect(message === '' ? [0] : [3, 5]).toContain(ended.code)
    for (const { fix } of ended.report.problems) expect(fix).not.toBe('')
    expectSmall(ended)
  })

  it('nested deeply under a right checksum is refused as well', async () => {
    const json = deepJson(1_000_000).trim()
    const line = `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`
    await writeFile(join(state, 'runs/20261122T141503Z-7f3a.jsonl'), line)
    const ended = await run('resume')
    expect(ended).toMatchObject({ code: 5, report: { problems: [{ code: 'journal-damaged' }] } })
    expectSmall(ended)
  })
})
