import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDir } from 'fs-extra/esm'
import { installFaultyAgent } from '../test/faults/build.ts'
import { buildGuest } from '../test/faults/power/guest.ts'
import { faultPoints } from '../test/faults/trial.ts'
import type { Lab, Mesh } from '../test/lab/index.ts'
import { type Campaign, campaigns, fleetCampaigns, type PointedWork } from './soaking/campaigns.ts'
import { Counters } from './soaking/counters.ts'
import { document, table, withPart } from './soaking/document.ts'
import { type NamedWork, works } from './soaking/works.ts'
import { withLab } from './with-lab.ts'

const root = join(import.meta.dirname, '..')
const documentPath = join(root, 'docs/reliability.md')
const HOSTS = 6
/** Fleets that are tried at once: most of the time their hosts wait. */
const FLEETS = 10
const PROGRESS_MS = 60_000

interface Options {
  minutes: number | null
  /** Text of the campaigns' names; null for all. */
  only: string | null
}

async function soakLab(lab: Lab, options: Options): Promise<void> {
  await lab.installAgent(join(root, 'dist/agent'))
  await installFaultyAgent(lab)
  const meshes = Array.from({ length: HOSTS / 2 }, (_, i) => lab.mesh(lab.hosts.slice(2 * i, 2 * i + 2)))
  const [first = lab.mesh(lab.hosts)] = meshes
  await soak(
    [...(await hostCampaigns(lab, first)), ...fleetCampaigns()],
    [first, ...meshes.slice(1)],
    options,
  )
}

/** A fleet needs no host of the lab. */
async function soakFleets(options: Options): Promise<void> {
  process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))
  const places = Array.from({ length: FLEETS - 1 })
  await soak(fleetCampaigns(), [undefined, ...places], options)
}

/** The exit code says whether all is well. */
async function soak<Place>(
  campaigns: Campaign<Place>[],
  places: [Place, ...Place[]],
  { minutes, only }: Options,
): Promise<void> {
  const counters = new Counters(
    campaigns.filter(({ name }) => name.includes(only ?? '')),
    say,
  )
  const begin = Date.now()
  const report = (isLast: boolean): void => {
    const duration = { asked: minutes, taken: Math.round((Date.now() - begin) / 60_000) }
    if (only === null) write((old) => document(counters.rows, duration, old))
    else if (isLast && counters.isComplete)
      write((old) => withPart(old, { only, rows: counters.rows, duration }))
    else say(table(counters.rows))
  }
  await reporting(counters, report, async () => {
    await counters.runControls(places[0])
    await counters.runTrials(places, minutes === null ? Infinity : begin + minutes * 60_000)
  })
  process.exitCode = counters.isGood ? 0 : 1
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
  counters: Pick<Counters<never>, 'sum'>,
  report: (isLast: boolean) => void,
  work: () => Promise<void>,
): Promise<void> {
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    report(true)
    process.stdout.write(`${JSON.stringify(counters.sum)}\n`)
  }
  const progress = setInterval(() => {
    report(false)
    say(`${counters.sum.trials} trials, ${counters.sum.bad} bad`)
  }, PROGRESS_MS)
  process.prependOnceListener('SIGINT', end).prependOnceListener('SIGTERM', end)
  try {
    await work()
  } finally {
    clearInterval(progress)
    end()
  }
}

/** At once: an interrupted process may not get to anything later. */
function write(next: (old: string) => string): void {
  mkdirSync(join(root, 'docs'), { recursive: true })
  const old = existsSync(documentPath) ? readFileSync(documentPath, 'utf8') : ''
  writeFileSync(documentPath, next(old))
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

const [minutes = '', only = ''] = process.argv.slice(2)
const options = { minutes: minutes === '' ? null : Number(minutes), only: only === '' ? null : only }
if (only.startsWith('fleet')) await soakFleets(options)
else await withLab((lab) => soakLab(lab, options), HOSTS)
