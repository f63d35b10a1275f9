import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDir } from 'fs-extra/esm'
import { installFaultyAgent } from '../test/faults/build.ts'
import { buildGuest } from '../test/faults/power/guest.ts'
import { faultPoints } from '../test/faults/trial.ts'
import type { Lab, Mesh } from '../test/lab/index.ts'
import { type Campaign, campaigns, fleetCampaigns, type PointedWork } from './soaking/campaigns.ts'
import { Counters } from './soaking/counters.ts'
import { document, table } from './soaking/document.ts'
import { type NamedWork, works } from './soaking/works.ts'
import { withLab } from './with-lab.ts'

const root = join(import.meta.dirname, '..')
const HOSTS = 6
const PROGRESS_MS = 60_000

interface Options {
  minutes: number | null
  /** Text of the campaigns' names; null for all. */
  only: string | null
}

/** Resolves to whether all is well. */
async function soak(lab: Lab, { minutes, only }: Options): Promise<boolean> {
  await lab.installAgent(join(root, 'dist/agent'))
  await installFaultyAgent(lab)
  const meshes = Array.from({ length: HOSTS / 2 }, (_, i) => lab.mesh(lab.hosts.slice(2 * i, 2 * i + 2)))
  const [first = lab.mesh(lab.hosts)] = meshes
  const fleet = fleetCampaigns()
  // those of the fleet need no host
  const all = only?.startsWith('fleet') ? fleet : [...(await hostCampaigns(lab, first)), ...fleet]
  const counters = new Counters(
    all.filter(({ name }) => name.includes(only ?? '')),
    say,
  )
  const begin = Date.now()
  // a part of the campaigns is not the document
  const report = (): void => {
    if (only !== null) say(table(counters.rows))
    else write(document(counters.rows, { asked: minutes, taken: Math.round((Date.now() - begin) / 60_000) }))
  }
  return await reporting(counters, report, async () => {
    await counters.runControls(first)
    await counters.runTrials(meshes, minutes === null ? Infinity : begin + minutes * 60_000)
  })
}

async function hostCampaigns(lab: Lab, mesh: Mesh): Promise<Campaign[]> {
  const guestDir = join(root, '.cache/power-guest')
  await ensureDir(guestDir)
  const guest = await buildGuest(guestDir)
  const [upgrade, ...others] = works(lab)
  const all: [PointedWork, ...PointedWork[]] = [await pointed(mesh, upgrade)]
  for (const work of others) all.push(await pointed(mesh, work))
  return campaigns(all, guest)
}

async function pointed(mesh: Mesh, work: NamedWork): Promise<PointedWork> {
  const points = await faultPoints(mesh, work.work)
  say(`${points.length} fault points in ${work.name}`)
  return { ...work, points }
}

/** However it ends, a Ctrl-C included, the table is written and the last line on stdout is the sum. */
async function reporting(
  counters: Counters,
  report: () => void,
  work: () => Promise<void>,
): Promise<boolean> {
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    report()
    process.stdout.write(`${JSON.stringify(counters.sum)}\n`)
  }
  const progress = setInterval(() => {
    report()
    say(`${counters.sum.trials} trials, ${counters.sum.bad} bad`)
  }, PROGRESS_MS)
  process.prependOnceListener('SIGINT', end).prependOnceListener('SIGTERM', end)
  try {
    await work()
    return counters.isGood
  } finally {
    clearInterval(progress)
    end()
  }
}

/** At once: an interrupted process may not get to anything later. */
function write(text: string): void {
  mkdirSync(join(root, 'docs'), { recursive: true })
  writeFileSync(join(root, 'docs/reliability.md'), text)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

await withLab(async (lab) => {
  const [minutes = '', only = ''] = process.argv.slice(2)
  const options = { minutes: minutes === '' ? null : Number(minutes), only: only === '' ? null : only }
  process.exitCode = (await soak(lab, options)) ? 0 : 1
}, HOSTS)
