import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCniConfigs } from '../../../agent/adapters/cni-config.ts'
import type { ReaderResult, ReaderTask } from './reader.ts'

const READERS = 4
const WRITES = 200
const NAME = '10-calico.conf'
/** Some pages, so that a write in place is seen in the middle. */
const text = (mtu: number): string =>
  JSON.stringify({ name: 'calico', type: 'calico', mtu, note: 'x'.repeat(20_000) })
const [OLD, NEW] = [text(1500), text(1440)]

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-agent-storm-'))
  await writeFile(join(directory, NAME), OLD)
  // what a kubelet falls back to when it finds the first one broken
  await writeFile(join(directory, '99-other.conf'), '{"name":"other","type":"bridge"}')
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

/** What readers saw by the kubelet's rules during so many writes. */
async function storm(write: (path: string, text: string) => Promise<void>): Promise<ReaderResult> {
  const shared = new SharedArrayBuffer(8)
  const flags = new Int32Array(shared)
  const task: ReaderTask = { directory, name: NAME, texts: [OLD, NEW], shared }
  const readers = Array.from({ length: READERS }, () =>
    resultOf(new Worker(new URL('reader.ts', import.meta.url), { workerData: task })),
  )
  while (Atomics.load(flags, 1) < READERS) await sleep(10)
  for (let n = 1; n <= WRITES; n++) await write(join(directory, NAME), n % 2 === 0 ? OLD : NEW)
  Atomics.store(flags, 0, 1)
  const results = await Promise.all(readers)
  return {
    good: results.reduce((sum, { good }) => sum + good, 0),
    wrong: results.flatMap(({ wrong }) => wrong),
  }
}

function resultOf(worker: Worker): Promise<ReaderResult> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject)
  })
}

describe('readers by the rules of the kubelet', () => {
  const configs = createCniConfigs()

  it('see one whole config or the other during 200 replacements and ways back', async () => {
    const wayBack = join(directory, `.${NAME}.calico-agent-RUN.old`)
    const { good, wrong } = await storm(async (path, content) => {
      if (content === NEW) await configs.replace(path, NEW, wayBack)
      else await configs.restore(path, OLD, wayBack)
    })
    expect(wrong).toEqual([])
    expect(good).toBeGreaterThan(WRITES)
    expect((await readdir(directory)).sort()).toEqual([NAME, '99-other.conf'])
  })

  it('see others during writes in place (the control)', async () => {
    const { wrong } = await storm((path, content) => writeFile(path, content))
    expect(wrong.length).toBeGreaterThan(0)
  })

  it('see others when the old one is removed first (the control)', async () => {
    const { wrong } = await storm(async (path, content) => {
      await rm(path)
      await writeFile(path, content)
    })
    expect(wrong.length).toBeGreaterThan(0)
  })
})
