import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { remove } from 'fs-extra/esm'
import { readThenWriteFlaws, timeToLiveFlaws } from '../../test/faults/fleet/controls.ts'
import { FLEET_FAULTS, fleetFlaws } from '../../test/faults/fleet/trials.ts'
import { actMeanwhile, ENGINE_BLOWS } from '../../test/faults/meanwhile.ts'
import type { Guest } from '../../test/faults/power/guest.ts'
import { powerCutFlaws } from '../../test/faults/power/trials.ts'
import { raceFlaws } from '../../test/faults/race.ts'
import { flawsOf, type Trial } from '../../test/faults/trial.ts'
import type { Work } from '../../test/faults/whole-host.ts'
import type { Mesh } from '../../test/lab/index.ts'
import { withoutThePolicies } from './naive-swap.ts'

/** Trials of one kind, and the control without which their harness proves nothing. */
export interface Campaign<Place = Mesh> {
  name: string
  trials: Run<Place>[]
  /** Flawed if the harness can see a flaw. */
  control: Run<Place>
}

/** Runs one trial on a mesh, or wherever it runs; in words, what is not as it must be. */
export type Run<Place = Mesh> = (place: Place) => Promise<string[]>

/** Something to die in, with every fault point on its way. */
export interface PointedWork {
  name: string
  work: Work
  points: string[]
  /** How often the agent dies at each. */
  repeats: number
  /** A death there that nobody resumes must leave a flaw. */
  harm: string
  /** The call that moves what runs, and for how many ms afterwards it may still be at work. */
  call: { point: string; ms: number }
}

const RANDOM_KILLS = 300
const CALL_DEATHS = 50
const RACES = 1000
const DISK_POWER_CUTS = 100
const FLEET_TRIALS = 100
/** A run with a second to settle takes about 6 s. */
const LONGEST_MS = 7_000

/** Of one etcd for each trial; no host of the lab is touched. */
export function fleetCampaigns(): Campaign<unknown>[] {
  return Object.keys(FLEET_FAULTS).map((fault, index) => ({
    name: `fleet: ${fault}`,
    trials: times(FLEET_TRIALS, () => fleetFlaws(fault)),
    control: index % 2 === 0 ? readThenWriteFlaws : timeToLiveFlaws,
  }))
}

export function campaigns(works: [PointedWork, ...PointedWork[]], guest: Guest): Campaign[] {
  const [upgrade] = works
  return [
    ...works.map(killedAtEach),
    ...works.map(powerCutAtEach),
    ...works.filter(({ name }) => !name.includes('rollback')).map(killedInTheCall),
    engineBlows(upgrade),
    {
      name: 'killed at a random moment',
      trials: times(RANDOM_KILLS, randomly(upgrade.work)),
      control: unresumed(upgrade),
    },
    { name: 'two agents at once', trials: times(RACES, () => race(false)), control: () => race(true) },
    {
      name: 'power cut below the file system',
      trials: times(DISK_POWER_CUTS, () => powerCutFlaws(guest, 'real')),
      control: () => powerCutFlaws(guest, 'without-sync'),
    },
  ]
}

function killedAtEach(pointed: PointedWork): Campaign {
  const { name, work, points, repeats } = pointed
  return {
    name: `killed at each fault point of ${name}`,
    trials: times(
      repeats,
      points.map((point) => trial({ death: { point }, work, powerCut: false })),
    ).flat(),
    control: unresumed(pointed),
  }
}

function powerCutAtEach({ name, work, points }: PointedWork): Campaign {
  return {
    name: `host's power cut at each fault point of ${name}`,
    trials: points.map((point) => trial({ death: { point }, work, powerCut: true })),
    control: (mesh) => withoutThePolicies(mesh, work.node?.reset),
  }
}

/** Docker and systemd finish what the agent asked for, and `calico-agent resume` starts while they are at it. */
function killedInTheCall(pointed: PointedWork): Campaign {
  const { name, work, call } = pointed
  const deaths = Array.from({ length: CALL_DEATHS }, (_, i) => Math.round((call.ms * i) / CALL_DEATHS))
  return {
    name: `killed while its call is carried out, in ${name}`,
    trials: deaths.map((laterMs) => trial({ death: { point: call.point, laterMs }, work, powerCut: false })),
    control: unresumed(pointed),
  }
}

function engineBlows({ work, points }: PointedWork): Campaign {
  return {
    name: 'Docker Engine killed, stopped or frozen before each call',
    trials: points
      .filter((point) => point.startsWith('before docker.'))
      .flatMap((point) => Object.values(ENGINE_BLOWS).map((blow) => engineAway(work, point, blow))),
    control: engineAway(work, 'before docker.startContainer#1', 'systemctl stop docker.socket docker'),
  }
}

function unresumed({ work, harm }: PointedWork): Run {
  return trial({ death: { point: harm }, work, powerCut: false, resumed: false })
}

/** Its flaws, with the place of the death. */
function trial(one: Trial): Run {
  return async (mesh) => (await flawsOf(mesh, one)).map((flaw) => `${JSON.stringify(one.death)}: ${flaw}`)
}

/** With live-restore the containers outlive the Engine. In the control it does not come back. */
function engineAway(work: Work, point: string, script: string): Run {
  return async (mesh) => (await actMeanwhile(mesh, work, { point, script, liveRestore: true })).flaws
}

function randomly(work: Work): Run {
  return (mesh) => flawsOf(mesh, { death: { afterMs: Math.random() * LONGEST_MS }, work, powerCut: false })
}

function times<T>(count: number, one: T): T[] {
  return Array.from({ length: count }, () => one)
}

/** In the control each agent has a state directory, and so a lock, of its own. */
async function race(apart: boolean): Promise<string[]> {
  const dirs = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), 'calico-agent-race-'))))
  const [one = '', other = ''] = dirs
  try {
    return await raceFlaws([one, apart ? other : one])
  } finally {
    await Promise.all(dirs.map((dir) => remove(dir)))
  }
}
