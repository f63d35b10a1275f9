import { execFile } from 'node:child_process'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { remove } from 'fs-extra/esm'
import { type Host, type Mesh, watchBird } from '../../test/lab/index.ts'
import { type Part, type Stage, say } from './part.ts'
import type { Series } from './statistics.ts'
import { beginWithBothVersions, byAgent, nextImage } from './upgrades.ts'

/** As every mesh before Calico v3.4: no `passive`, and BIRD's own timers. */
const world = { env: { LAB_MESH: 'two-way' } }
/** After a collision BIRD waits up to 120 s for its next try. */
const SETTLE_LIMIT_MS = 300_000
/** A peer deletes routes a moment after the sessions are back, if it does. */
const AFTERMATH_MS = 2_000

const root = join(import.meta.dirname, '../..')
const LOST = { with: 'packets lost by the agent', without: 'packets lost without its guard' }

export const dial: Part = {
  name: 'dial',
  title: 'a mesh in which both ends dial',
  hosts: 3,
  rounds: 20,
  how: `Three hosts as before Calico v3.4: neither end of a session is passive, and BIRD uses its default timers. One host
is upgraded again and again, while its pod and the pods of the others ping each other in both directions, every 10
ms. The rounds alternate between the agent and a build of the agent without the guard that prevents neighbors from
connecting. All hosts share one clock, which is the worst case: their timers expire together. Rows name their units.
The times of the sessions count from the last answer of the old BIRD.`,
  meaning:
    'If both ends connect, their connections can collide. The peer then mistakes the second connection for a second restart, and deletes the routes that it kept. Each packet row has one value per round: the median hides what the maximum shows.',
  ratios: [],
  totals: (series) => {
    const sum = (label: string): number => valuesOf(series, label).reduce((all, value) => all + value, 0)
    return {
      dialRounds: valuesOf(series, LOST.with).length,
      dialLost: sum(LOST.with),
      dialLostWithout: sum(LOST.without),
    }
  },
  async measure(stage) {
    const mesh = stage.lab.mesh(stage.lab.hosts.slice(0, 3))
    const guarded = { ...stage, mesh }
    const unguarded = { ...guarded, agent: `${stage.agent}-unguarded` }
    await buildControl(unguarded)
    await beginWithBothVersions(guarded, world)
    const agent: Round[] = []
    const control: Round[] = []
    for (let i = 0; i < stage.rounds; i++) {
      agent.push(await upgradeUnderTraffic(guarded))
      control.push(await upgradeUnderTraffic(unguarded))
      say(
        `dial ${i + 1}/${stage.rounds}: lost ${agent.at(-1)?.lost}, without the guard ${control.at(-1)?.lost}`,
      )
    }
    return [
      { label: LOST.with, values: agent.map(({ lost }) => lost) },
      { label: LOST.without, values: control.map(({ lost }) => lost) },
      { label: 'BIRD down by the agent, ms', values: agent.map(({ downMs }) => downMs) },
      { label: 'BIRD down without its guard, ms', values: control.map(({ downMs }) => downMs) },
      { label: 'sessions back by the agent, ms', values: agent.map(({ backMs }) => backMs) },
      { label: 'sessions back without its guard, ms', values: control.map(({ backMs }) => backMs) },
    ]
  },
}

interface Round {
  lost: number
  downMs: number
  backMs: number
}

async function buildControl({ host, agent }: Stage): Promise<void> {
  const out = await mkdtemp(join(tmpdir(), 'calico-agent-unguarded-'))
  try {
    const entry = join(import.meta.dirname, 'unguarded-agent.ts')
    await promisify(execFile)(process.execPath, [
      join(root, 'scripts/build.ts'),
      '--entry',
      entry,
      '--out',
      out,
    ])
    await host.writeFile(agent, await readFile(join(out, 'agent')), 0o755)
  } finally {
    await remove(out)
  }
}

async function upgradeUnderTraffic(stage: Stage): Promise<Round> {
  const { mesh, host } = stage
  const image = await nextImage(stage)
  const flows = await Promise.all(peersOf(mesh, host).map((peer) => mesh.traffic(host, peer)))
  const bird = await watchBird(host)
  await byAgent(stage, image)
  const { birdDownMs, sessionsBackMs } = await bird.recovered(SETTLE_LIMIT_MS)
  await mesh.untilSettled(world)
  await sleep(AFTERMATH_MS)
  const reports = await Promise.all(flows.map((flow) => flow.stop()))
  await host.ok(['docker', 'container', 'prune', '--force'])
  await host.ok(['rm', '-rf', '/var/lib/calico-agent'])
  return {
    lost: reports.reduce((sum, { lost }) => sum + lost, 0),
    downMs: birdDownMs,
    backMs: sessionsBackMs,
  }
}

function peersOf(mesh: Mesh, host: Host): Host[] {
  return mesh.hosts.filter((other) => other !== host)
}

function valuesOf(series: Series[], label: string): number[] {
  return series.find((one) => one.label === label)?.values ?? []
}
