import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildFaultyAgent } from '../test/faults/build.ts'
import { FAULTY_AGENT, faultPoints } from '../test/faults/trial.ts'
import type { Lab, Mesh } from '../test/lab/index.ts'
import { type Campaign, campaigns, type Run } from './soaking/campaigns.ts'
import { document, type Row } from './soaking/document.ts'
import { withLab } from './with-lab.ts'

const root = join(import.meta.dirname, '..')
const HOSTS = 6

/** What came of one campaign. */
class Tally {
  readonly campaign: Campaign
  trials = 0
  flawed: string[][] = []
  controlFailed = false

  constructor(campaign: Campaign) {
    this.campaign = campaign
  }

  get row(): Row {
    const { name, trials: planned } = this.campaign
    return {
      name,
      planned: planned.length,
      trials: this.trials,
      bad: this.flawed.length,
      controlFailed: this.controlFailed,
    }
  }
}

async function soak(lab: Lab, minutes: number): Promise<boolean> {
  await lab.installAgent(join(root, 'dist/agent'))
  await lab.installAgent(await buildFaultyAgent(root), FAULTY_AGENT)
  const meshes = Array.from({ length: HOSTS / 2 }, (_, i) => lab.mesh(lab.hosts.slice(2 * i, 2 * i + 2)))
  const images = { good: lab.registry.image('v2.6.12'), bad: lab.registry.image('exits-at-once') }
  const [first = lab.mesh(lab.hosts)] = meshes
  const points = { good: await faultPoints(first, images.good), bad: await faultPoints(first, images.bad) }
  say(`${points.good.length} fault points in an upgrade, ${points.bad.length} in one that is rolled back`)
  const tallies = campaigns(points, images).map((campaign) => new Tally(campaign))
  for (const tally of tallies) tally.controlFailed = (await tally.campaign.control(first)).length > 0
  await runAll(tallies, meshes, Date.now() + minutes * 60_000)
  const rows = tallies.map(({ row }) => row)
  await mkdir(join(root, 'docs'), { recursive: true })
  await writeFile(join(root, 'docs/reliability.md'), document(rows))
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
  const bad = sum(rows.map((row) => row.bad))
  const controlsFailed = rows.filter(({ controlFailed }) => controlFailed).length
  process.stdout.write(
    `${JSON.stringify({ trials: sum(rows.map(({ trials }) => trials)), bad, controlsFailed })}\n`,
  )
  return bad === 0 && controlsFailed === rows.length
}

/** Each mesh takes the next trial, the campaigns in turns, so that a short soak has some of each. */
async function runAll(tallies: Tally[], meshes: Mesh[], deadline: number): Promise<void> {
  const queue = interleaved(tallies.map((tally) => tally.campaign.trials.map((run) => ({ tally, run }))))
  const worker = async (mesh: Mesh): Promise<void> => {
    for (let next = queue.shift(); next && Date.now() < deadline; next = queue.shift()) {
      await runOne(next.tally, next.run, mesh)
    }
  }
  await Promise.all(meshes.map(worker))
}

async function runOne(tally: Tally, run: Run, mesh: Mesh): Promise<void> {
  const flaws = await run(mesh).catch((error: unknown) => [`the trial broke: ${String(error)}`])
  tally.trials += 1
  if (flaws.length === 0) return
  tally.flawed.push(flaws)
  say(`bad: ${tally.campaign.name}: ${flaws.join('; ')}`)
}

/** Spreads the lists evenly over the whole, whatever their lengths. */
function interleaved<T>(lists: T[][]): T[] {
  return lists
    .flatMap((list) => list.map((item, i) => ({ item, at: (i + 0.5) / list.length })))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

await withLab(async (lab) => {
  process.exitCode = (await soak(lab, Number(process.argv[2] || Infinity))) ? 0 : 1
}, HOSTS)
