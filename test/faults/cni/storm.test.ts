// Pods come and go without pause while the plugins are swapped under them.

import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createCniBinaries } from '../../../agent/adapters/cni-binaries/cni-binaries.ts'
import { keptName } from '../../../agent/core/cni/files.ts'
import { pluginBytes, signal, temporaryDirectory, write } from '../../adapters/cni-binaries/plugins.ts'
import { FakeDocker } from '../../fakes/docker.ts'
import type { StormReport } from './storm-worker.ts'

const SWAPS = 60
const LOOPS = 4
const standIns = { calico: 'ptp', 'calico-ipam': 'host-local' }
const names = Object.keys(standIns)
const cni = createCniBinaries(new FakeDocker())

let path: string
let binDir: string
let known: string

const sourceAt = (turn: number): string => join(path, `source-${turn % 2}`)

/** Two sources whose plugins differ; the first one's are live. */
beforeEach(async () => {
  path = await temporaryDirectory()
  binDir = join(path, 'bin')
  await mkdir(binDir)
  const hashes: string[] = []
  for (const turn of [0, 1]) {
    await mkdir(sourceAt(turn))
    for (const [name, standIn] of Object.entries(standIns)) {
      const bytes = await pluginBytes(standIn, `turn ${turn}`)
      hashes.push(createHash('sha256').update(bytes).digest('hex'))
      await write(join(sourceAt(turn), name), bytes)
      if (turn === 0) await write(join(binDir, name), bytes)
    }
  }
  known = hashes.join(',')
})

/** Runs the loops while `action` goes on, which is told whether one of them has failed by now. */
async function storm(action: (hasFailed: () => boolean) => Promise<void>): Promise<StormReport> {
  const namespaces = Array.from({ length: LOOPS }, (_, i) => `storm-${process.pid}-${i}`)
  for (const name of namespaces) execFileSync('ip', ['netns', 'add', name])
  onTestFinished(() => {
    for (const name of namespaces) execFileSync('ip', ['netns', 'delete', name])
  })
  const worker = join(import.meta.dirname, 'storm-worker.ts')
  const argv = [process.execPath, worker, binDir, join(path, 'leases'), known, ...namespaces]
  // the other ends of the pods' wires go away with the worker's own namespace
  const child = spawn('unshare', ['--net', ...argv], { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const ended = once(child.stdout, 'end')
  try {
    await once(child.stdout, 'data')
    await action(() => said.includes('failed'))
  } finally {
    child.stdin.end()
  }
  await ended
  return JSON.parse(said.trimEnd().split('\n').at(-1) ?? '') as StormReport
}

async function swap(turn: number): Promise<void> {
  const place = { binDir, run: `20261122T141503Z-${turn.toString(16).padStart(4, '0')}` }
  const source = { kind: 'directory', path: sourceAt(turn) } as const
  const binaries = names.map((name) => ({ name, sha256: null }))
  await cni.stage(place, { source, binaries, cniVersion: '0.4.0' }, signal)
  await cni.keep(
    place,
    names.map((name) => ({ name, existed: true })),
  )
  for (const name of names) await cni.putInPlace(place, name)
  for (const name of names) await rm(join(binDir, keptName(place.run, name)))
}

describe('pods that come and go', () => {
  it(`see no failure while the plugins are swapped ${SWAPS} times`, async () => {
    const { calls, reads, failures } = await storm(async () => {
      for (let turn = 1; turn <= SWAPS; turn++) await swap(turn)
    })
    expect(failures).toEqual([])
    expect(Math.min(calls.ADD, calls.DEL, calls.VERSION, reads)).toBeGreaterThan(SWAPS / 4)
  })

  it('fail where the old plugins are removed and the new ones copied (the control)', async () => {
    const { failures } = await storm(async (hasFailed) => {
      // a busy machine may let the loops run only now and then
      for (let turn = 1; turn <= 50 * SWAPS && !hasFailed(); turn++) {
        for (const name of names) await rm(join(binDir, name))
        for (const name of names) await copyFile(join(sourceAt(turn), name), join(binDir, name))
      }
    })
    // a plugin is gone, half of it is there, or it finds none for its addresses
    expect(failures).not.toEqual([])
  })
})

describe('cp over a plugin that runs', () => {
  it('is refused by the kernel (the control)', async () => {
    const live = join(binDir, 'calico')
    // it reads its config to the end
    const pod = { CNI_CONTAINERID: 'pod', CNI_NETNS: '/no/such', CNI_IFNAME: 'eth0', CNI_PATH: binDir }
    const env = { CNI_COMMAND: 'ADD', ...pod }
    const running = spawn(live, { env, stdio: ['pipe', 'ignore', 'ignore'] })
    await once(running, 'spawn')
    expect(() => execFileSync('cp', [join(sourceAt(1), 'calico'), live], { stdio: 'pipe' })).toThrow(
      /Text file busy/,
    )
    await swap(1)
    expect(await readFile(live)).toHaveLength((await readFile(join(sourceAt(1), 'calico'))).length)
    running.stdin.end()
  })
})
