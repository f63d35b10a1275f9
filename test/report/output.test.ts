import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

const node = new URL('../../node_modules/.bin/node', import.meta.url).pathname
const module = new URL('../../agent/report/output.ts', import.meta.url).href

let children: ChildProcess[]
let directory: string
beforeEach(() => {
  children = []
  directory = mkdtempSync(join(tmpdir(), 'output-'))
})
afterEach(() => {
  children.forEach(killGroup)
  rmSync(directory, { recursive: true })
})

/** With all that it started. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended
  }
}

/** A program that writes to its stderr by an Output, in a shell of these words; Node gives a child sockets. */
function program(script: string, words = 'RUN'): ChildProcess {
  const text = `const { Output } = await import('${module}')
    const dropped = (lines) => lines + ' dropped\\n'
    const say = (text) => process.stdout.write(text + '\\n')
    ${script}`
  const shell = words.replace('RUN', '"$0" --input-type=module -e "$1"')
  const child = spawn('sh', ['-c', shell, node, text], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  children.push(child)
  return child
}

/** Between the program and who reads it: it reads a second late. */
const PIPE = '{ RUN 2>&1 1>&3 | { sleep 1; cat >&2; }; } 3>&1'

/** What it wrote when that matches; the rest is left for later. */
function linesOf(child: ChildProcess, from: 'stdout' | 'stderr', until: RegExp): Promise<string> {
  let text = ''
  return new Promise((resolve, reject) => {
    child[from]?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (until.test(text)) resolve(text)
    })
    child[from]?.on('end', () => {
      reject(new Error(`it ended before ${String(until)}: ${text.slice(-200)}`))
    })
  })
}

const flood = `const output = new Output(2, { bytes: 100_000, dropped })
  for (let i = 0; i < 50_000; i++) output.write('line ' + i + '\\n')
  say('written')
  await output.drained()
  say('drained')`

it.each([
  ['a socket', 'RUN'],
  ['a pipe', PIPE],
])('does not wait for %s that nobody reads, keeps what fits, and counts the rest', async (_, words) => {
  const child = program(`${flood}; setInterval(() => undefined, 1000)`, words)
  await linesOf(child, 'stdout', /written/)
  const text = await linesOf(child, 'stderr', /dropped/)
  const kept = text.match(/^line \d+$/gm) ?? []
  // in their order, without a gap
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => `line ${i}`))
  expect(text).toMatch(new RegExp(`^${50_000 - kept.length} dropped$`, 'm'))
})

it.each([
  ['a socket', 'RUN'],
  ['a pipe', PIPE],
])('loses nothing by %s that is read late, where no limit is set', async (_, words) => {
  const script = `const output = new Output(2)
    for (let i = 0; i < 20_000; i++) output.write('line ' + i + '\\n')
    output.write('end\\n')`
  const text = await linesOf(program(script, words), 'stderr', /end/)
  expect(text.split('\n')).toHaveLength(20_002)
})

it('ends the wait when the reader goes away', async () => {
  const child = program(`${flood}; say('drained')`, '{ RUN 2>&1 1>&3 | sleep 1; } 3>&1')
  await linesOf(child, 'stdout', /drained/)
})

it.each([
  ['is gone', '{ RUN 2>&1 1>&3 | true; } 3>&1', true],
  ['is late', PIPE, false],
])('knows whether its reader %s', async (_, words, isGone) => {
  const script = `const output = new Output(2)
    setInterval(() => { output.write('line\\n') }, 50)
    setTimeout(() => { say('gone: ' + output.isGone) }, 700)`
  expect(await linesOf(program(script, words), 'stdout', /gone/)).toBe(`gone: ${isGone}\n`)
})

it('writes before the call returns: a death behind it loses nothing', async () => {
  const child = program(`const output = new Output(2, { bytes: 1000, dropped })
    output.write('the last words\\n')
    process.kill(process.pid, 'SIGKILL')`)
  // the shell adds its own word of the death
  expect(await linesOf(child, 'stderr', /\n/)).toMatch(/^the last words\n/)
})

it('appends to a file that others write as well', async () => {
  const file = join(directory, 'log')
  const script = `const output = new Output(2); output.write('ours\\n'); output.write('ours\\n')`
  const child = program(script, `exec 2>"${file}"; echo theirs >&2; RUN; echo theirs >&2`)
  await once(child, 'exit')
  expect(readFileSync(file, 'utf8')).toBe('theirs\nours\nours\ntheirs\n')
})

it('leaves the pipe of others as it was: it still blocks them', async () => {
  const script = `const output = new Output(2); output.write('ours\\n'); process.kill(process.pid, 'SIGKILL')`
  // a pipe that was left non-blocking would give seq an EAGAIN
  const child = program(script, '{ RUN; seq 100000 >&2; echo end >&2; } 2>&1 | { sleep 1; cat >&2; }')
  expect(await linesOf(child, 'stderr', /end/)).toMatch(/^100000$/m)
})
