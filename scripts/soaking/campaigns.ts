import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { raceFlaws } from '../../test/faults/race.ts'
import { flawsOf, type Trial } from '../../test/faults/trial.ts'
import type { Mesh } from '../../test/lab/index.ts'

/** Trials of one kind, and the control without which their harness proves nothing. */
export interface Campaign {
  name: string
  trials: Run[]
  /** Flawed if the harness can see a flaw. */
  control: Run
}

/** Runs one trial on a mesh; in words, what is not as it must be. */
export type Run = (mesh: Mesh) => Promise<string[]>

const OLD_IMAGE = 'registry.lab:5000/calico/node:v2.6.5'
const REPEATS = 3
const RANDOM_KILLS = 300
const RACES = 1000
/** A run with a second to settle takes about 6 s. */
const LONGEST_MS = 7_000

export function campaigns(
  points: Record<'good' | 'bad', string[]>,
  images: Record<'good' | 'bad', string>,
): Campaign[] {
  const at = (kind: 'good' | 'bad', powerCut: boolean): Run[] =>
    points[kind].map((point) => trial({ death: { point }, image: images[kind], powerCut }))
  const dead = { death: { point: 'after docker.killContainer#1' }, image: images.good, resumed: false }
  const randomly = (powerCut: boolean): Run => {
    return (mesh) =>
      flawsOf(mesh, { death: { afterMs: Math.random() * LONGEST_MS }, image: images.good, powerCut })
  }
  return [
    {
      name: 'killed at each fault point of an upgrade',
      trials: repeat(at('good', false)),
      control: trial({ ...dead, powerCut: false }),
    },
    {
      name: 'killed at each fault point of a rollback',
      trials: repeat(at('bad', false)),
      control: trial({ ...dead, powerCut: false }),
    },
    {
      name: 'power cut at each fault point of an upgrade',
      trials: at('good', true),
      control: withoutThePolicies,
    },
    {
      name: 'power cut at each fault point of a rollback',
      trials: at('bad', true),
      control: withoutThePolicies,
    },
    {
      name: 'killed at a random moment',
      trials: Array.from({ length: RANDOM_KILLS }, () => randomly(false)),
      control: trial({ ...dead, powerCut: false }),
    },
    {
      name: 'two agents at once',
      trials: Array.from({ length: RACES }, () => () => race(false)),
      control: () => race(true),
    },
  ]
}

function trial(one: Trial): Run {
  return (mesh) => flawsOf(mesh, one)
}

function repeat(runs: Run[]): Run[] {
  return Array.from({ length: REPEATS }, () => runs).flat()
}

/** The naive swap: the new container gets its policy at once and the old one keeps its own. A boot starts both. */
async function withoutThePolicies(mesh: Mesh): Promise<string[]> {
  await mesh.reset()
  const [host] = mesh.hosts
  if (!host) throw new Error('cannot run a trial without a host')
  await host.ok(['docker', 'kill', 'calico-node'])
  await host.ok([
    'docker',
    'run',
    '-d',
    '--name=next',
    '--net=host',
    '--privileged',
    '--restart=always',
    OLD_IMAGE,
  ])
  await host.powerCut()
  await host.powerOn()
  const running = (await host.ok(['docker', 'ps', '-q'])).trim().split('\n').length
  return running === 1 ? [] : [`${running} calico-nodes run after the boot`]
}

/** In the control each agent has a state directory, and so a lock, of its own. */
async function race(apart: boolean): Promise<string[]> {
  const dirs = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), 'calico-agent-race-'))))
  const [one = '', other = ''] = dirs
  try {
    return await raceFlaws([one, apart ? other : one])
  } finally {
    await Promise.all(dirs.map((dir) => rm(dir, { recursive: true })))
  }
}
