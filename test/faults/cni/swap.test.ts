import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keep, putInPlace } from '../../../agent/adapters/cni-binaries/swap.ts'
import { callsOf, type Fault, runWithFault, type SystemCall } from '../files/strace.ts'
import { contentOf, FILES, KNOWN, NAMES, place, stateOf, undo } from './swap-state.ts'

const OLD = 'calico old'
const NEW = 'calico.old old, calico new, calico-ipam new'
const CHANGING = 'mkdir openat write fchown fchmod fsync link rename rmdir'.split(' ')

let parent: string
let bundle: string

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'calico-agent-swap-'))
  bundle = join(parent, 'worker.cjs')
  const entryPoints = [join(import.meta.dirname, 'swap-worker.ts')]
  await build({
    entryPoints,
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'warning',
  })
})

afterAll(async () => {
  await rm(parent, { recursive: true })
})

async function inDirectory<T>(work: (binDir: string) => Promise<T>): Promise<T> {
  const binDir = join(await mkdtemp(join(parent, 'trial-')), 'bin')
  await mkdir(binDir)
  await mkdir(`${binDir}-source`)
  await writeFile(join(binDir, 'calico'), contentOf('old', 'calico'), { mode: 0o755 })
  for (const name of NAMES) await writeFile(join(`${binDir}-source`, name), contentOf('new', name))
  return await work(binDir)
}

const calls = (library: string) => inDirectory((binDir) => callsOf([bundle, binDir, library], binDir, FILES))

/** What is wrong when that fault comes in place of that call; empty when all is well. */
async function flawsOf(library: string, call: SystemCall, fault: Fault): Promise<string[]> {
  const flaws = await inDirectory(async (binDir) => {
    const { by, lines, stderr } = await runWithFault([bundle, binDir, library], binDir, FILES, call, fault)
    if (fault === 'signal=SIGKILL') {
      if (by !== 'SIGKILL') return [`it did not die: ${String(by)}, ${stderr}`]
      const flaws = await liveFlaws(binDir)
      return library === 'naive'
        ? flaws
        : [...flaws, ...(await flawsOfResume(binDir, lines.includes('staged')))]
    }
    if (by !== 0) return [`it ended by ${String(by)}: ${stderr}`]
    const failed = lines.find((line) => line.startsWith('failed '))
    const state = await stateOf(binDir)
    if (failed === undefined) return state === NEW ? [] : [`nobody said so: ${state}`]
    const problem = JSON.parse(failed.slice('failed '.length)) as { message?: string; fix?: string } | string
    const clear =
      typeof problem === 'object' && /^cannot .+: .+/.test(problem.message ?? '') && problem.fix !== ''
    return [
      ...(clear ? [] : [`the error is not clear: ${failed}`]),
      ...(state === OLD ? [] : [`left: ${state}`]),
    ]
  })
  return flaws.map((flaw) => `${fault} at ${call.text}: ${flaw}`)
}

/** Whoever runs a plugin at that moment gets a whole one. */
async function liveFlaws(binDir: string): Promise<string[]> {
  const state = `, ${await stateOf(binDir)}`
  return /, calico (old|new)/.test(state) && !/, calico(-ipam)? torn/.test(state) ? [] : [`live is${state}`]
}

/** From the same moment back, and, once it was staged, on to the end. */
async function flawsOfResume(binDir: string, staged: boolean): Promise<string[]> {
  const twin = `${binDir}-twin`
  execFileSync('cp', ['-a', binDir, twin])
  await undo(binDir)
  const back = await stateOf(binDir)
  const flaws = back === OLD ? [] : [`undone, there is ${back}`]
  if (!staged) return flaws
  await keep(place(twin), KNOWN, () => Promise.resolve())
  for (const name of NAMES) await putInPlace(place(twin), name)
  const on = await stateOf(twin)
  return on === NEW ? flaws : [...flaws, `gone on with, there is ${on}`]
}

async function flawsAt(library: string, fault: Fault): Promise<string[]> {
  const queue = await calls(library)
  const flaws: string[] = []
  const work = async (): Promise<void> => {
    for (let call = queue.shift(); call; call = queue.shift())
      flaws.push(...(await flawsOf(library, call, fault)))
  }
  await Promise.all([work(), work()])
  return flaws
}

describe('a fault in place of each system call of a swap of CNI plugins', () => {
  it('has calls of every kind to come in place of', async () => {
    const kinds = new Set((await calls('real')).map(({ name }) => name))
    for (const kind of CHANGING) expect(kinds).toContain(kind)
  })

  it.each<Fault>(['signal=SIGKILL', 'error=EIO', 'error=ENOSPC'])(
    '%s leaves the plugins whole, and the set old or new after the resume',
    async (fault) => {
      expect(await flawsAt('real', fault)).toEqual([])
    },
  )

  it('SIGKILL is seen to tear plugins that are written in place (the control)', async () => {
    expect((await flawsAt('naive', 'signal=SIGKILL')).join('\n')).toMatch(/live is.* torn/)
  })
})
