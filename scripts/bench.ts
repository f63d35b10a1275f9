import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Host, Lab } from '../test/lab/index.ts'
import { cni } from './benchmarks/cni.ts'
import { deadPeer } from './benchmarks/dead-peer.ts'
import { figuresOf, ratiosOf, section, withSections } from './benchmarks/document.ts'
import { gap } from './benchmarks/gap.ts'
import { machineLine } from './benchmarks/machine.ts'
import { mesh } from './benchmarks/mesh.ts'
import { overhead } from './benchmarks/overhead.ts'
import { type Part, type Stage, say } from './benchmarks/part.ts'
import { pull } from './benchmarks/pull.ts'
import { service } from './benchmarks/service.ts'
import { start } from './benchmarks/start.ts'
import { withLab } from './with-lab.ts'

const parts: readonly Part[] = [gap, pull, deadPeer, start, overhead, service, cni, mesh]

const root = join(import.meta.dirname, '..')
const documentPath = join(root, 'docs/benchmarks.md')

async function bench(lab: Lab, wanted: readonly Part[], rounds: number): Promise<void> {
  const stage = await setUp(lab, rounds)
  const sections = new Map<string, string>()
  const ratios: Record<string, number> = {}
  try {
    const machine = await machineLine(stage.host)
    for (const part of wanted) {
      say(`${part.name}: ${part.title}`)
      const series = await part.measure(stage)
      sections.set(part.name, section(part, series, machine))
      for (const { wanted, found } of ratiosOf(part, series))
        ratios[wanted.key] = Number(found.ofMedians.toFixed(3))
      for (const { wanted, found } of figuresOf(part, series)) ratios[wanted.key] = Number(found.toFixed(3))
    }
  } finally {
    await rm(stage.host.root + stage.agent, { force: true })
  }
  await writeDocument(sections)
  process.stdout.write(`${JSON.stringify(ratios)}\n`)
}

/** The agent under test has a place of its own: a test that runs on the lab's other hosts may install another one. */
async function setUp(lab: Lab, rounds: number): Promise<Stage> {
  const mesh = lab.mesh(lab.hosts.slice(0, 2))
  const [host] = mesh.hosts as [Host, Host]
  const agent = '/usr/local/bin/agent-bench'
  await host.writeFile(agent, await readFile(join(root, 'dist/agent')), 0o755)
  await mesh.reset()
  return { lab, mesh, host, agent, rounds }
}

async function writeDocument(fresh: ReadonlyMap<string, string>): Promise<void> {
  await mkdir(dirname(documentPath), { recursive: true })
  const old = await readFile(documentPath, 'utf8').catch(() => undefined)
  const names = parts.map(({ name }) => name)
  await writeFile(documentPath, withSections(old, fresh, names))
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, rounds: { type: 'string', default: '10' } },
})
const wanted = parts.filter(({ name }) => values.only === undefined || name === values.only)
if (wanted.length === 0) throw new Error(`cannot measure ${values.only ?? ''}: there is no such part`)
await withLab((lab) => bench(lab, wanted, Number(values.rounds)))
