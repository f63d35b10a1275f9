import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { outputFile, remove } from 'fs-extra/esm'
import type { Host, Lab } from '../test/lab/index.ts'
import { cni } from './benchmarks/cni.ts'
import { deadPeer } from './benchmarks/dead-peer.ts'
import { dial } from './benchmarks/dial.ts'
import { figuresOf, ratiosOf, section, withSections } from './benchmarks/document.ts'
import { fleet } from './benchmarks/fleet.ts'
import { gap } from './benchmarks/gap.ts'
import { hosted } from './benchmarks/hosted.ts'
import { machineLine } from './benchmarks/machine.ts'
import { mesh } from './benchmarks/mesh.ts'
import { overhead } from './benchmarks/overhead.ts'
import { type Part, type Stage, say } from './benchmarks/part.ts'
import { pull } from './benchmarks/pull.ts'
import { service } from './benchmarks/service.ts'
import { start } from './benchmarks/start.ts'
import { withLab } from './with-lab.ts'

const parts: readonly Part[] = [gap, pull, deadPeer, start, overhead, service, cni, dial, mesh, hosted, fleet]

const ROUNDS = 10

const root = join(import.meta.dirname, '..')
const documentPath = join(root, 'docs/benchmarks.md')

async function bench(lab: Lab, wanted: readonly Part[], rounds: number | undefined): Promise<void> {
  const stage = await setUp(lab)
  const sections = new Map<string, string>()
  const figures: Record<string, number> = {}
  try {
    const machine = await machineLine(stage.host)
    for (const part of wanted) {
      say(`${part.name}: ${part.title}`)
      const series = await part.measure({ ...stage, rounds: rounds ?? part.rounds ?? ROUNDS })
      sections.set(part.name, section(part, series, machine))
      for (const { wanted, found } of ratiosOf(part, series))
        figures[wanted.key] = Number(found.ofMedians.toFixed(3))
      Object.assign(figures, part.totals?.(series))
      for (const { wanted, found } of figuresOf(part, series)) figures[wanted.key] = Number(found.toFixed(3))
    }
  } finally {
    await remove(stage.host.root + stage.agent)
  }
  await writeDocument(sections)
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}

/** The agent under test has a place of its own: a test that runs on the lab's other hosts may install another one. */
async function setUp(lab: Lab): Promise<Omit<Stage, 'rounds'>> {
  const mesh = lab.mesh(lab.hosts.slice(0, 2))
  const [host] = mesh.hosts as [Host, Host]
  const agent = '/usr/local/bin/agent-bench'
  await host.writeFile(agent, await readFile(join(root, 'dist/agent')), 0o755)
  await mesh.reset()
  return { lab, mesh, host, agent }
}

async function writeDocument(fresh: ReadonlyMap<string, string>): Promise<void> {
  const old = await readFile(documentPath, 'utf8').catch(() => undefined)
  const names = parts.map(({ name }) => name)
  await outputFile(documentPath, withSections(old, fresh, names))
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, rounds: { type: 'string' } },
})
const wanted = parts.filter(({ name }) => values.only === undefined || name === values.only)
if (wanted.length === 0) throw new Error(`cannot measure ${values.only ?? ''}: there is no such part`)
const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
await withLab((lab) => bench(lab, wanted, rounds), Math.max(...wanted.map(({ hosts = 2 }) => hosts)))
