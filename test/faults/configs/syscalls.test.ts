import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCniConfigs } from '../../../agent/adapters/cni-config.ts'
import { bundleWorker } from '../files/bundle.ts'
import { callsOf, type Fault, runWithFault } from '../files/strace.ts'

const NAME = '10-calico.conf'
const WAY_BACK = `.${NAME}.calico-agent-RUN.old`
const FILES = [NAME, WAY_BACK, `.${NAME}.calico-agent.tmp`]
const OLD = '{"name":"calico","type":"calico"}\n'
const NEW = '{"name":"calico","type":"calico","mtu":1440}\n'
const configs = createCniConfigs()

type Action = 'replace' | 'restore' | 'in-place'

let bundle: string

beforeAll(async () => {
  bundle = join(await mkdtemp(join(tmpdir(), 'calico-agent-worker-')), 'worker.cjs')
  await bundleWorker(bundle, join(import.meta.dirname, 'worker.ts'))
})

afterAll(async () => {
  await rm(dirname(bundle), { recursive: true })
})

/** A directory of which the action is about to change the config. */
async function before<T>(
  action: Action,
  work: (dir: string, argv: string[], stamp: string) => Promise<T>,
): Promise<T> {
  const parent = await mkdtemp(join(tmpdir(), 'calico-agent-faults-'))
  const dir = await mkdtemp(join(parent, 'net.d-'))
  const [path, wayBack] = [join(dir, NAME), join(dir, WAY_BACK)]
  try {
    await writeFile(path, OLD)
    const stamp = await stampOf(dir)
    if (action === 'restore') await configs.replace(path, NEW, wayBack)
    return await work(dir, [bundle, action, path, action === 'restore' ? OLD : NEW, wayBack], stamp)
  } finally {
    await rm(parent, { recursive: true })
  }
}

async function stampOf(dir: string): Promise<string> {
  const { ino, mtimeNs } = await stat(join(dir, NAME), { bigint: true })
  return `${ino} ${mtimeNs}`
}

/** In words, what is not as it must be when the fault comes in place of any of the calls, and after the way back. */
async function flawsAt(action: Action, fault: Fault): Promise<string[]> {
  const flaws: string[] = []
  for (const call of await before(action, (dir, argv) => callsOf(argv, dir, FILES))) {
    await before(action, async (dir, argv, stamp) => {
      await runWithFault(argv, dir, FILES, call, fault)
      const text = await readFile(join(dir, NAME), 'utf8').catch(() => 'none')
      if (text !== OLD && text !== NEW) flaws.push(`${call.text}: the kubelet finds ${JSON.stringify(text)}`)
      await configs.restore(join(dir, NAME), OLD, join(dir, WAY_BACK))
      if ((await readFile(join(dir, NAME), 'utf8')) !== OLD)
        flaws.push(`${call.text}: the old one is not back`)
      if ((await stampOf(dir)) !== stamp) flaws.push(`${call.text}: the old one was written again`)
      const left = (await readdir(dir)).filter((name) => name !== NAME)
      if (left.length > 0) flaws.push(`${call.text}: ${left.join(', ')} is left`)
    })
  }
  return flaws
}

describe('a fault in place of each system call', () => {
  it.each<[Action, string[]]>([
    ['replace', ['link', 'write', 'fchmod', 'fchown', 'fsync', 'rename']],
    ['restore', ['rename', 'fsync', 'unlink']],
  ])('of a %s comes in place of calls of every kind', async (action, kinds) => {
    const calls = await before(action, (dir, argv) => callsOf(argv, dir, FILES))
    expect(calls.map(({ name }) => name)).toEqual(expect.arrayContaining(kinds))
  })

  it.each<[Action, Fault]>([
    ['replace', 'signal=SIGKILL'],
    ['replace', 'error=EIO'],
    ['replace', 'error=ENOSPC'],
    ['restore', 'signal=SIGKILL'],
    ['restore', 'error=EIO'],
    ['restore', 'error=ENOSPC'],
  ])('of a %s leaves a whole config, and the way back to the file itself: %s', async (action, fault) => {
    expect(await flawsAt(action, fault)).toEqual([])
  })

  it('is seen to harm a config that is written in place (the control)', async () => {
    expect(await flawsAt('in-place', 'signal=SIGKILL')).not.toEqual([])
  })
})
