import { mkdir, mkdtemp, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Watch, watchConfig } from '../../agent/service/watch.ts'

/** Shorter than the service's, and still longer than a loaded machine pauses between two system calls. */
const QUIET_MS = 120

let dir: string
let watch: Watch | undefined
let changes = 0

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'watch-'))
  changes = 0
})
afterEach(async () => {
  await watch?.close()
  watch = undefined
  await rm(dir, { recursive: true })
})

async function watching(file: string): Promise<void> {
  const count = (): void => void (changes += 1)
  const failed = (error: unknown): void => {
    throw error
  }
  watch = await watchConfig(file, count, failed, QUIET_MS)
  await sleep(50)
}

/** Long enough for the watch to tell, and to tell twice if it did so wrongly. */
const quiet = (): Promise<void> => sleep(3 * QUIET_MS + 100)

/** Until the watch has told once more than `before`, and then until it is quiet. */
async function told(before = 0): Promise<void> {
  await vi.waitFor(() => {
    expect(changes).toBeGreaterThan(before)
  }, 60_000)
  await quiet()
}

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

/** So often may the machine disturb a burst before that is a failure. */
const ROUNDS = 20

/** Runs the round in a directory of its own; again where it fails and the machine paused so long that one burst may have become two. */
async function undisturbed(round: (directory: string) => Promise<void>): Promise<void> {
  for (let left = ROUNDS; ; left--) {
    const directory = await mkdtemp(join(dir, 'round-'))
    changes = 0
    const pauses = watchPauses()
    const [ended] = await Promise.allSettled([round(directory)])
    const paused = (await pauses.stop()) > QUIET_MS / 2
    await watch?.close()
    if (ended.status === 'fulfilled') return
    if (!paused || left === 0) throw ended.reason
  }
}

/** Looks at the disk again and again. Stopped, it resolves to the longest time between two looks, ms. */
function watchPauses(): { stop(): Promise<number> } {
  let isOver = false
  let longest = 0
  const looks = async (): Promise<void> => {
    for (let last = performance.now(); !isOver; ) {
      await stat(dir)
      await sleep(5)
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }
  }
  const looking = looks()
  return {
    async stop() {
      isOver = true
      await looking
      return longest
    },
  }
}

describe('watchConfig', () => {
  it.each<[string, (file: string) => Promise<void>]>([
    ['is written in place', (file) => writeFile(file, 'b')],
    ['is replaced by rename', (file) => replace(file, 'b')],
    ['is removed', (file) => rm(file)],
    [
      'is replaced by an editor, by way of a backup',
      async (file) => {
        await rename(file, `${file}~`)
        await writeFile(file, 'b')
        await rm(`${file}~`)
      },
    ],
  ])('tells once that the file %s', async (_how, change) => {
    await undisturbed(async (directory) => {
      const file = join(directory, 'agent.yaml')
      await writeFile(file, 'a')
      await watching(file)
      expect(changes).toBe(0)
      await change(file)
      await told()
      expect(changes).toBe(1)
    })
  })

  it('tells again of the second replacement, and of the third', async () => {
    const file = join(dir, 'agent.yaml')
    await writeFile(file, 'a')
    await watching(file)
    for (const round of [1, 2, 3]) {
      const before = changes
      await replace(file, String(round))
      // a loaded machine may hear of one rename in two bursts: the second finds nothing new
      await told(before)
    }
  })

  it('tells of the swap of a ConfigMap, each time', async () => {
    const file = join(dir, 'agent.yaml')
    const version = async (name: string): Promise<void> => {
      await mkdir(join(dir, name))
      await writeFile(join(dir, name, 'agent.yaml'), name)
      await symlink(name, join(dir, '..data_tmp'))
      await rename(join(dir, '..data_tmp'), join(dir, '..data'))
    }
    await version('..2026_1')
    await symlink('..data/agent.yaml', file)
    await watching(file)
    for (const round of [1, 2]) {
      const before = changes
      await version(`..2026_${round + 1}`)
      await rm(join(dir, `..2026_${round}`), { recursive: true })
      await told(before)
    }
  })

  it('tells of the file a link leads to', async () => {
    await undisturbed(async (directory) => {
      const target = join(directory, 'elsewhere/agent.yaml')
      await mkdir(join(directory, 'elsewhere'))
      await mkdir(join(directory, 'etc'))
      await writeFile(target, 'a')
      await symlink(target, join(directory, 'etc/agent.yaml'))
      await watching(join(directory, 'etc/agent.yaml'))
      await writeFile(target, 'b')
      await told()
      expect(changes).toBe(1)
    })
  })

  it('waits for a directory that does not exist yet, and does not lose it when it is made again', async () => {
    const file = join(dir, 'etc/calico-agent/agent.yaml')
    await watching(file)
    for (const round of [1, 2]) {
      await mkdir(join(dir, 'etc/calico-agent'), { recursive: true })
      await quiet()
      let before = changes
      await replace(file, `a${round}`)
      await told(before)
      before = changes
      await replace(file, 'b')
      await told(before)
      await rm(join(dir, 'etc'), { recursive: true })
      await quiet()
    }
  })

  it('tells once of a hundred changes', async () => {
    await undisturbed(async (directory) => {
      const file = join(directory, 'agent.yaml')
      await watching(file)
      for (let i = 0; i < 100; i++) await replace(file, String(i))
      await told()
      expect(changes).toBe(1)
    })
  })

  it('tells few times of many changes that come with pauses', async () => {
    const file = join(dir, 'agent.yaml')
    await watching(file)
    for (let i = 0; i < 40; i++) {
      await replace(file, String(i))
      // Longer than a single change is waited for, in the second half.
      await sleep(i < 20 ? 20 : QUIET_MS + 50)
    }
    await sleep(1_000)
    // one, but for a machine that pauses longer than the test does
    expect(changes).toBeGreaterThan(0)
    expect(changes).toBeLessThan(5)
  })

  it('tells once of changes that begin with the directory', async () => {
    await undisturbed(async (directory) => {
      const file = join(directory, 'etc/agent.yaml')
      await watching(file)
      await mkdir(join(directory, 'etc'))
      for (let i = 0; i < 80; i++) {
        await replace(file, String(i))
        await sleep(30)
      }
      await told()
      expect(changes).toBe(1)
    })
  })

  it('keeps still about other directories', async () => {
    await mkdir(join(dir, 'etc'))
    await watching(join(dir, 'etc/agent.yaml'))
    await writeFile(join(dir, 'other'), '')
    await quiet()
    expect(changes).toBe(0)
  })
})
