import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { installFaultyAgent } from '../test/faults/build.ts'
import { buildGuest } from '../test/faults/power/guest.ts'
import { faultPoints } from '../test/faults/trial.ts'
import type { Work } from '../test/faults/whole-host.ts'
import type { Lab, Mesh } from '../test/lab/index.ts'
import { campaigns, type PointedWork } from './soaking/campaigns.ts'
import { document } from './soaking/document.ts'
import { Tally } from './soaking/tally.ts'
import { withLab } from './with-lab.ts'

const root = join(import.meta.dirname, '..')
const HOSTS = 6
const PROGRESS_MS = 60_000

/** Resolves to whether all is well. */
async function soak(lab: Lab, minutes: number | null): Promise<boolean> {
  await lab.installAgent(join(root, 'dist/agent'))
  await installFaultyAgent(lab)
  const meshes = Array.from({ length: HOSTS / 2 }, (_, i) => lab.mesh(lab.hosts.slice(2 * i, 2 * i + 2)))
  const [first = lab.mesh(lab.hosts)] = meshes
  const guestDir = join(root, '.cache/power-guest')
  await mkdir(guestDir, { recursive: true })
  const guest = await buildGuest(guestDir)
  const tally = new Tally(campaigns(await works(lab, first), guest), say)
  const begin = Date.now()
  const report = (): void => {
    write(document(tally.rows, { asked: minutes, taken: Math.round((Date.now() - begin) / 60_000) }))
  }
  return await reporting(tally, report, async () => {
    await tally.runControls(first)
    await tally.runTrials(meshes, minutes === null ? Infinity : begin + minutes * 60_000)
  })
}

async function works(lab: Lab, mesh: Mesh): Promise<[PointedWork, PointedWork, PointedWork]> {
  const pointed = async (name: string, work: Work): Promise<PointedWork> => {
    const points = await faultPoints(mesh, work)
    say(`${points.length} fault points in ${name}`)
    return { name, work, points }
  }
  const [good, bad] = ['v2.6.12', 'exits-at-once'].map((tag) => lab.registry.image(tag)) as [string, string]
  return [
    await pointed('an upgrade', { command: 'upgrade', image: good }),
    await pointed('an upgrade that goes back', { command: 'upgrade', image: bad }),
    await pointed('a rollback', { command: 'rollback', image: good }),
  ]
}

/** However it ends, a Ctrl-C included, the table is written and the last line on stdout is the sum. */
async function reporting(tally: Tally, report: () => void, work: () => Promise<void>): Promise<boolean> {
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    report()
    process.stdout.write(`${JSON.stringify(tally.sum)}\n`)
  }
  const progress = setInterval(() => {
    report()
    say(`${tally.sum.trials} trials, ${tally.sum.bad} bad`)
  }, PROGRESS_MS)
  process.prependOnceListener('SIGINT', end).prependOnceListener('SIGTERM', end)
  try {
    await work()
    return tally.isGood
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
  const [minutes] = process.argv.slice(2).filter(Boolean).map(Number)
  process.exitCode = (await soak(lab, minutes ?? null)) ? 0 : 1
}, HOSTS)
