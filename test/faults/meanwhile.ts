import type { Report } from '../../agent/core/report/report.ts'
import { type Host, type Mesh, until } from '../lab/index.ts'
import { faultyAgent, prepared, QUICK, quickConfig, resume } from './trial.ts'
import { containerFlaws, type Work } from './whole-host.ts'

/** Somebody else acts at a fault point, and the agent goes on. */
export interface Meanwhile {
  point: string
  /** What they type; the agent waits for its end. */
  script: string
  /** Seconds that the new node is watched: whoever acts a while later must be in time. Default 1. */
  settle?: number
  /** Containers outlive their Engine. */
  liveRestore: boolean
}

export interface Aftermath {
  code: number
  report: Report
  /** In words, all that is not as it must be; empty when the host is old or new and whole, and the pods felt nothing. */
  flaws: string[]
}

const SCRIPT = '/tmp/meanwhile'

/** How Docker Engine can go away: for good until somebody starts it, or to come back by itself. */
export const ENGINE_BLOWS = {
  killed: 'systemctl kill --kill-who=main --signal=KILL docker',
  stopped: 'systemctl stop docker.socket docker; setsid sh -c "sleep 5; systemctl start docker" &',
  frozen:
    'systemctl kill --kill-who=main --signal=STOP docker; setsid sh -c "sleep 8; systemctl kill --kill-who=main --signal=CONT docker" &',
} as const

export async function actMeanwhile(
  mesh: Mesh,
  work: Work,
  { point, script, liveRestore, settle }: Meanwhile,
): Promise<Aftermath> {
  const host = await prepared(mesh, work)
  await host.writeFile(QUICK, quickConfig(settle))
  const [, peer] = mesh.hosts as [Host, Host]
  await host.writeFile(SCRIPT, `#!/bin/sh\n${script}\n`, 0o755)
  await startEngine(host)
  if (liveRestore) await setLiveRestore(host, true)
  try {
    const [traffic, routes] = await Promise.all([mesh.traffic(host, peer), mesh.watchRoutes(peer)])
    const { code, stdout, stderr } = await faultyAgent(host, work, { AGENT_FAULT: `${point}=${SCRIPT}` })
    const settled = await mesh.untilSettled().catch(String)
    const [{ lost }, withdrawn] = [await traffic.stop(), await routes.stop()]
    await startEngine(host)
    const flaws = await containerFlaws(host, reportOf(stdout, stderr), work)
    if (lost > 0) flaws.push(`${lost} packets lost`)
    if (withdrawn.length > 0) flaws.push(`${withdrawn.length} routes withdrawn`)
    if (settled) flaws.push(settled)
    const { outcome } = await resume(host)
    if (outcome !== 'unchanged') flaws.push(`a resume is ${outcome}`)
    return { code, report: reportOf(stdout, stderr), flaws }
  } finally {
    await startEngine(host)
    if (liveRestore) await setLiveRestore(host, false)
  }
}

function reportOf(stdout: string, stderr: string): Report {
  try {
    return JSON.parse(stdout) as Report
  } catch (cause) {
    throw new Error(`cannot parse the agent's JSON: ${stdout}\n${stderr}`, { cause })
  }
}

/** systemd starts no Engine a fourth time within a minute, unless it is made to forget. */
async function startEngine(host: Host): Promise<void> {
  await host.ok(['systemctl', 'reset-failed', 'docker.socket', 'docker.service'])
  await host.ok(['systemctl', 'start', 'docker.socket', 'docker.service'])
}

const CONFIG = '/etc/docker/daemon.json'
const OWN_CONFIG = '/run/live-restore.json'

/** The lab's own configuration lies under it, read-only; the Engine takes the change without a restart. */
async function setLiveRestore(host: Host, on: boolean): Promise<void> {
  const config = await host.readFile(CONFIG)
  const next = JSON.stringify({ ...(JSON.parse(config) as object), 'live-restore': on })
  const covered = await host.run(['grep', '-q', OWN_CONFIG.replace('/run', ''), '/proc/self/mountinfo'])
  if (covered.code !== 0) {
    await host.writeFile(OWN_CONFIG, config)
    await host.ok(['mount', '--bind', OWN_CONFIG, CONFIG])
  }
  await host.ok(['sh', '-c', `cat > ${CONFIG}`], { input: next })
  await host.ok(['systemctl', 'reload', 'docker'])
  const asked = async (): Promise<boolean> =>
    ((await host.docker.info()) as { LiveRestoreEnabled: boolean }).LiveRestoreEnabled === on
  await until(`live-restore to be ${on ? 'on' : 'off'}`, asked)
  // What is left out of a configuration keeps its last value: only now the lab's own may come back.
  if (!on) await host.ok(['umount', CONFIG])
}
