// A run never waits for who watches it: a terminal that is stopped, a pipe behind the log that is full.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Report } from '../../agent/core/report/report.ts'
import { NEW, OLD, type ProgramWorld, startProgramWorld } from './program.ts'

const terminal = join(import.meta.dirname, 'unread-terminal.py')

let world: ProgramWorld
const children: ChildProcess[] = []
afterEach(async () => {
  children.splice(0).forEach(killGroup)
  await world.engine.close()
})

/** With all that it started. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended
  }
}

interface Watched {
  /** The agent's process. */
  pid: number
  child: ChildProcess
  text: () => string
}

/** An agent whose terminal is stopped as soon as it shows the text. */
async function stoppedAt(text: string, ...words: string[]): Promise<Watched> {
  const child = spawn('python3', [terminal, text, ...world.argv(...words)], {
    env: { ...world.env, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  children.push(child)
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await expect.poll(() => said, { timeout: 60_000 }).toMatch(/^stopped \d+/)
  const [, pid = ''] = /^stopped (\d+)/.exec(said) ?? []
  return { pid: Number(pid), child, text: () => said }
}

async function exitCodeOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}

const runningImage = async (): Promise<string | undefined> =>
  (await world.docker.inspectContainer('calico-node'))?.Config.Image

/** What a run asks the Engine for as its last. */
const ended = (op: RegExp) =>
  expect
    .poll(() => world.docker.ops.some((one) => op.test(one)), { timeout: 60_000, interval: 50 })
    .toBe(true)

describe('a terminal that is stopped in the middle of a run', () => {
  it('holds nothing up, and shows the end once it goes on', async () => {
    world = await startProgramWorld()
    const { child, text } = await stoppedAt('swap calico-node', 'upgrade', '--node', NEW)
    await ended(/^docker rename .* calico-node$/)
    expect(await runningImage()).toBe(NEW)
    child.stdin?.write('go on\n')
    expect(await exitCodeOf(child)).toBe(0)
    expect(text()).toContain('upgraded')
  })

  it('does not keep a signal from the run, nor one from the process that waits to show its report', async () => {
    world = await startProgramWorld([], 60)
    const { pid, child } = await stoppedAt('settling', 'upgrade', '--node', NEW)
    process.kill(pid, 'SIGTERM')
    await ended(/^docker rm calico-node-next/)
    expect(await runningImage()).toBe(OLD)
    await expect.poll(() => handles(pid, 'SIGTERM'), { timeout: 60_000 }).toBe(false)
    process.kill(pid, 'SIGTERM')
    child.stdin?.end()
    expect(await exitCodeOf(child)).not.toBe(0)
  })
})

describe('a full pipe behind the log', () => {
  it('holds nothing up, and the report is whole', async () => {
    world = await startProgramWorld()
    const report = join(world.engine.directory, 'report')
    const words = [
      // as much as a pipe takes
      '{ head -c 65536 /dev/zero >&2; "$@"; echo $? >&3; } 2>&1 >"$0" 3>"$0.code" |',
      'sleep 600',
    ].join(' ')
    const argv = world.argv('upgrade', '--node', NEW, '--json', '--log-level', 'debug')
    const child = spawn('sh', ['-c', words, report, ...argv], {
      env: world.env,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
    children.push(child)
    const code = () => readFile(`${report}.code`, 'utf8')
    await expect.poll(code, { timeout: 60_000 }).toBe('0\n')
    expect(JSON.parse(await readFile(report, 'utf8')) as Report).toMatchObject({ outcome: 'upgraded' })
  })
})

describe('a report', () => {
  it('is whole for a reader that comes late', async () => {
    const large = Array.from({ length: 2_000 }, (_, i) => `LARGE_${i}=${'x'.repeat(100)}`)
    world = await startProgramWorld(large)
    const argv = world.argv('plan', '--node', NEW, '--json')
    const child = spawn('sh', ['-c', '"$@" | { sleep 2; cat; }', 'sh', ...argv], {
      env: world.env,
      detached: true,
    })
    children.push(child)
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    await once(child, 'close')
    expect(text.length).toBeGreaterThan(400_000)
    expect(JSON.parse(text)).toMatchObject({ outcome: 'planned' })
  })
})

/** Whether the process has a handler of its own for the signal. */
async function handles(pid: number, signal: 'SIGTERM'): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const caught = BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(status)?.[1] ?? '0'}`)
  const number = { SIGTERM: 15n }[signal]
  return (caught & (1n << (number - 1n))) !== 0n
}
