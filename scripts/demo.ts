import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { StatusReport } from '../agent/core/report/status.ts'
import { colorsFor } from '../agent/report/text.ts'
import { windowLines } from '../agent/report/window-text.ts'
import { type Host, type Lab, type Mesh, nodeRunArgs, watchBird } from '../test/lab/index.ts'
import { prepareTwin } from './procedures.ts'
import { withLab } from './with-lab.ts'

const root = join(import.meta.dirname, '..')
const OLD = 'v2.6.5'
/** v2.6.12 with 300 MB of layers on it. */
const NEW = 'big'
const LAYER_BYTES_PER_SECOND = 1_500_000
/** The window of Calico's document; BIRD's own default is longer. */
const RESTART_TIME_S = 90
/** How long packets are watched after all is back. */
const AFTERMATH_MS = 3_000

interface Scene {
  lab: Lab
  mesh: Mesh
  host: Host
  image: string
}

type Window = NonNullable<NonNullable<StatusReport['lastRun']>['window']>
type Result = { outcome: string; window: Window | null }

const procedures: Record<string, { title: string; run(scene: Scene): Promise<Result> }> = {
  agent: { title: `calico-agent upgrade --node`, run: byAgent },
  naive: {
    title: 'the document: docker stop, docker rm, docker run, with the image not pulled before',
    run: byDocument,
  },
  term: { title: 'as the agent does it, but BIRD is stopped by TERM', run: byTerm },
}

async function byAgent({ host, image }: Scene): Promise<Result> {
  // a lab host has the agent as agent alone
  const name = '/usr/local/bin/calico-agent'
  await host.ok(['ln', '--symbolic', '--force', 'agent', name])
  await onHost(host, ['calico-agent', 'upgrade', '--node', image])
  await host.ok(['rm', name])
  const status = JSON.parse(await host.ok(['agent', 'status', '--json'])) as StatusReport
  return { outcome: status.lastRun?.outcome ?? 'refused', window: status.lastRun?.window ?? null }
}

async function byDocument({ mesh, host, image }: Scene): Promise<Result> {
  const options = { ...mesh.nodeOptions(host, nodeOptions), image }
  return await watched(host, async () => {
    await onHost(host, ['docker', 'stop', 'calico-node'])
    await onHost(host, ['docker', 'rm', 'calico-node'])
    await onHost(host, nodeRunArgs(host, options))
  })
}

async function byTerm({ host, image }: Scene): Promise<Result> {
  await onHost(host, ['docker', 'pull', image])
  const next = await prepareTwin(host, image, 'calico-node-twin')
  return await watched(host, async () => {
    await onHost(host, ['docker', 'exec', 'calico-node', 'sv', 'down', '/etc/service/enabled/bird'])
    await onHost(host, ['docker', 'kill', 'calico-node'])
    await next.start()
  })
}

/** The window of a procedure that keeps no account of it, seen from outside. */
async function watched(host: Host, procedure: () => Promise<void>): Promise<Result> {
  const bird = await watchBird(host)
  await procedure()
  const seen = await bird.recovered(300_000)
  const [birdDownMs, sessionsBackMs, recoveredMs] = [
    seen.birdDownMs,
    seen.sessionsBackMs,
    seen.recoveredMs,
  ].map(Math.round) as [number, number, number]
  const window = { budgetMs: RESTART_TIME_S * 1000, birdDownMs, sessionsBackMs, recoveredMs }
  return { outcome: 'upgraded', window: { ...window, usedMs: recoveredMs, releasedPeers: [] } }
}

const nodeOptions = { image: OLD, env: { LAB_GR_TIME: String(RESTART_TIME_S) } }

async function demo(lab: Lab, name: string): Promise<boolean> {
  const procedure = procedures[name]
  if (!procedure) throw new Error(`cannot run ${name}: one of ${Object.keys(procedures).join(', ')}`)
  await lab.installAgent(join(root, 'dist/agent'))
  const mesh = lab.mesh(lab.hosts.slice(0, 2))
  const [host, peer] = mesh.hosts as [Host, Host]
  await mesh.reset(nodeOptions)
  await lab.registry.setFault('slow', { bytesPerSecond: LAYER_BYTES_PER_SECOND })
  const image = lab.registry.faultyImage('slow', NEW)

  say(`\n${host.name} and ${peer.name} route each other's pods; ${host.name} goes from ${OLD} to ${image}`)
  say(`by ${procedure.title}\n`)
  const [traffic, routes] = await Promise.all([mesh.traffic(host, peer), mesh.watchRoutes(peer)])
  const { outcome, window } = await procedure.run({ lab, mesh, host, image })
  await mesh.untilSettled(nodeOptions)
  await new Promise((resolve) => setTimeout(resolve, AFTERMATH_MS))
  const { sent, lost, longestGapMs } = await traffic.stop()
  const withdrawn = await routes.stop()

  if (name !== 'agent' && window)
    say(`\n${windowLines(window, false, { colors: colorsFor(false), columns: undefined }).join('\n')}`)
  say(`\npackets  ${sent} sent between the pods, ${lost} lost; longest gap ${Math.round(longestGapMs)} ms`)
  say(`routes   ${withdrawn.length} withdrawn at ${peer.name}`)
  say(JSON.stringify({ outcome, sentPackets: sent, lostPackets: lost, window }))
  return outcome === 'upgraded' && lost === 0
}

/** Runs a program on the host as if typed there: on a terminal it has the terminal. */
async function onHost(host: Host, argv: string[]): Promise<void> {
  say(
    `${host.name}# ${argv.length > 8 ? `${argv.slice(0, 2).join(' ')} ... ${argv.at(-1) ?? ''}` : argv.join(' ')}`,
  )
  const cli = join(root, 'test/lab/cli.ts')
  const child = spawn(process.execPath, [cli, 'run', host.name, ...argv], { stdio: 'inherit' })
  await once(child, 'exit')
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

const name = process.argv[2]?.replace(/^--/, '') ?? 'agent'
await withLab(async (lab) => {
  process.exitCode = (await demo(lab, name)) ? 0 : 1
})
