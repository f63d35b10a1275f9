import type { Report } from '../../agent/core/report/report.ts'
import { birdRecovering, birdSessions, type Host, ManyPeers, until } from '../../test/lab/index.ts'
import { type Part, type Stage, say } from './part.ts'
import { untilQuiet } from './quiet.ts'
import type { Series } from './statistics.ts'
import { beginWithBothVersions, nextImage } from './upgrades.ts'

const SESSIONS = 500
const ROUTES_EACH = 10
const RESULT = '/tmp/bench-mesh.json'

/** wait4(2) counts the program and the children that it has waited for. */
const MEASURE = `
import json, os, sys
pid = os.spawnvp(os.P_NOWAIT, sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], 'w') as out:
    json.dump({'cpu': usage.ru_utime + usage.ru_stime, 'kilobytes': usage.ru_maxrss}, out)
sys.exit(os.waitstatus_to_exitcode(status))
`

const LABELS = { cpu: 'CPU, s', peak: 'peak RSS, MB', sessions: 'sessions', recovered: 'recovered after, s' }

export const mesh: Part = {
  name: 'mesh',
  title: `an upgrade in a mesh of ${SESSIONS} sessions`,
  how: `${SESSIONS} real BGP sessions with ${ROUTES_EACH} routes each, all imported into the kernel. Each one has its own
BIRD with its own address. A whole \`calico-agent upgrade --node\` with its defaults, settling time included, with both
images local. CPU is the user and system time of the agent and the programs that it ran; peak RSS is that of the
largest of them. Both are as the kernel counts them (wait4).`,
  meaning:
    'Most of it is the start of the agent, its queries of BIRD while the sessions come back and while they settle, and the hold of the kernel routes. The processors of this machine also run all the BIRDs.',
  ratios: [],
  figures: [
    { key: 'meshCpuSeconds', of: LABELS.cpu, atMost: 2 },
    { key: 'meshPeakMb', of: LABELS.peak, atMost: 120 },
    { key: 'meshSessions', of: LABELS.sessions },
  ],
  async measure(stage) {
    const { host } = stage
    await beginWithBothVersions(stage)
    const peers = await ManyPeers.start(host, SESSIONS, ROUTES_EACH)
    try {
      await startNode(stage, peers)
      const series: Series[] = Object.values(LABELS).map((label) => ({ label, values: [] }))
      for (let round = 0; round < stage.rounds; round++) {
        await untilQuiet()
        const found = Object.values(await measuredUpgrade(stage))
        series.forEach(({ values }, i) => values.push(found[i] ?? NaN))
        say(
          `mesh ${round + 1}/${stage.rounds}: ${series.map((one) => `${one.label} ${one.values.at(-1)?.toFixed(1) ?? ''}`).join('; ')}`,
        )
        await tidy(host)
      }
      return series
    } finally {
      await peers.stop()
      await host.run(['docker', 'rm', '-f', 'calico-node'])
    }
  },
}

async function startNode({ mesh, host }: Stage, { addresses }: ManyPeers): Promise<void> {
  await host.ok(['docker', 'rm', '-f', 'calico-node'])
  await host.startNode({ ...mesh.nodeOptions(host), peers: addresses })
  await untilSettled(host)
}

async function untilSettled(host: Host): Promise<void> {
  const bird = host.birdSocketPath()
  const isSettled = async (): Promise<boolean> =>
    (await establishedOf(host)) === SESSIONS && !(await birdRecovering(bird))
  await until(`${SESSIONS} sessions`, isSettled, { timeoutMs: 120_000, everyMs: 1_000 })
}

async function establishedOf(host: Host): Promise<number> {
  const sessions = await birdSessions(host.birdSocketPath())
  return sessions.filter(({ state }) => state === 'Established').length
}

async function measuredUpgrade(stage: Stage): Promise<Record<keyof typeof LABELS, number>> {
  const { host, agent } = stage
  const upgrade = [agent, 'upgrade', '--node', await nextImage(stage), '--json']
  const { stdout, stderr } = await host.run(['python3', '-c', MEASURE, RESULT, ...upgrade])
  const { outcome, window } = JSON.parse(stdout) as Report
  if (outcome !== 'upgraded')
    throw new Error(`cannot measure: the agent says ${outcome}: ${stdout}\n${stderr}`)
  const { cpu, kilobytes } = JSON.parse(await host.readFile(RESULT)) as { cpu: number; kilobytes: number }
  return {
    cpu,
    peak: (kilobytes * 1024) / 1e6,
    sessions: await establishedOf(host),
    recovered: (window?.recoveredMs ?? NaN) / 1000,
  }
}

async function tidy(host: Host): Promise<void> {
  await untilSettled(host)
  await host.ok(['docker', 'container', 'prune', '--force'])
  await host.ok(['rm', '-rf', '/var/lib/calico-agent', RESULT])
}
