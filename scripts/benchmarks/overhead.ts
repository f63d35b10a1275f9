import { remove } from 'fs-extra/esm'
import { birdRecovering, birdSessions, type Host, until } from '../../test/lab/index.ts'
import { type CallLog, logCalls } from './docker-calls.ts'
import { type Part, type Stage, sayRound } from './part.ts'
import { untilQuiet } from './quiet.ts'
import { coveredMs, type Series } from './statistics.ts'
import { beginWithBothVersions, configure, nextImage, runAgent, tidy } from './upgrades.ts'

/** Where the recording socket is on the host. */
const SOCKET = '/run/bench-docker.sock'

export const overhead: Part = {
  name: 'overhead',
  title: 'what the agent adds to its Docker calls',
  how: `A whole \`calico-agent upgrade\`, from the start of the program to its end, with both images local and no settling time. A
proxy in front of Docker's socket records each call. The time of the run has three parts: the wait for BIRD's
sessions, which BGP requires (from the end of the start call until they are Established and the recovery is over,
measured from outside); the Docker calls outside of that wait; and the rest, which is the agent's own: its start,
the journal on disk, the queries of systemd's units, the hold of the kernel's routes, and how late it notices the
end of the recovery. The delay of the proxy counts as Docker's.`,
  meaning:
    'The ratio is the time that the agent adds to what Docker and BGP need for an upgrade, in units of what Docker needs.',
  ratios: [{ key: 'overheadVsDocker', of: 'agent', to: 'docker' }],
  async measure(stage) {
    await beginWithBothVersions(stage)
    const parts = ['total', 'docker', 'sessions', 'agent'] as const
    const series = parts.map((label) => ({ label, values: [] as number[] }))
    for (let round = 0; round < stage.rounds; round++) {
      await untilQuiet()
      const run = await dividedRun(stage)
      for (const { label, values } of series) values.push(run[label])
      sayRound('overhead', round, stage.rounds, series)
      await tidy(stage)
    }
    return series satisfies Series[]
  },
}

type Divided = Record<'total' | 'docker' | 'sessions' | 'agent', number>

async function dividedRun(stage: Stage): Promise<Divided> {
  const { host } = stage
  const image = await nextImage(stage)
  const socket = host.root + SOCKET
  await remove(socket)
  const log = await logCalls(socket, `${host.root}/run/docker.sock`)
  try {
    await configure(stage, { node: { image }, docker: { socket: SOCKET } })
    const sessions = sessionsBack(host, log)
    const begin = performance.now()
    await runAgent(stage)
    const end = performance.now()
    const wait = await sessions
    const total = end - begin
    const spoken = coveredMs([...log.calls, wait])
    const sessionsMs = wait.end - wait.start
    return { total, docker: spoken - sessionsMs, sessions: sessionsMs, agent: total - spoken }
  } finally {
    log.close()
  }
}

/** From the end of the start call until all sessions are Established and the recovery is over. */
async function sessionsBack(host: Host, { calls }: CallLog): Promise<{ start: number; end: number }> {
  const bird = host.birdSocketPath()
  const established = async (): Promise<number> =>
    (await birdSessions(bird)).filter(({ state }) => state === 'Established').length
  const before = await established()
  const wait = { timeoutMs: 120_000, everyMs: 10 }
  const started = (): number | undefined =>
    calls.find(({ what }) => /containers\/\w+\/start$/.test(what))?.end
  await until('the start call', () => Promise.resolve(started() !== undefined), wait)
  const back = async (): Promise<boolean> => (await established()) >= before && !(await birdRecovering(bird))
  await until('the sessions', back, wait)
  return { start: started() ?? NaN, end: performance.now() }
}
