import { setTimeout as sleep } from 'node:timers/promises'
import { type ExecResult, type Host, installOldPlugins, type Mesh, until } from '../lab/index.ts'
import { containerFlaws, nodes, type Work } from './whole-host.ts'
import { asThePluginsWere, noFlaws } from './whole-plugins.ts'
import { asTheUnitWas } from './whole-unit.ts'

/** One death of the agent. */
export interface Trial {
  /** At a fault point or so many ms later, or by a SIGKILL so many ms after its start. */
  death: { point: string; laterMs?: number } | { afterMs: number }
  work: Work
  /** The whole host loses its power right after, and boots. */
  powerCut: boolean
  /** False is the control: nobody puts the host right. */
  resumed?: boolean
}

/** The executable with fault points, as the lab's hosts have it. */
export const FAULTY_AGENT = 'agent-with-faults'

export const QUICK = '/tmp/quick.yaml'
export const quickConfig = (settle = 1): string => `window: 60\nsettle: ${settle}\n`
const TRACE = '/tmp/fault-points'
const KILLED = 137
const REFUSED = 3
const TRIES = 4
/** Between the two policies of the commit a boot starts none, and the resume at boot starts the one. */
const COMMIT_POINTS = /docker\.setRestartPolicy/

/** The points that this work passes, in their order. */
export async function faultPoints(mesh: Mesh, work: Work): Promise<string[]> {
  return await passedPoints(await prepared(mesh, work), work)
}

/** The same, on the host as it is. */
export async function passedPoints(host: Host, work: Work): Promise<string[]> {
  await host.ok(['rm', '-f', TRACE])
  const ended = await faultyAgent(host, work, { AGENT_FAULT_TRACE: TRACE })
  if (ended.code === REFUSED) throw new Error(`cannot list the fault points: ${ended.stdout.slice(-600)}`)
  return (await host.readFile(TRACE)).trim().split('\n')
}

/** In words, all that is not as it must be after the agent died there and was resumed; empty when all is well. */
export async function flawsOf(mesh: Mesh, trial: Trial): Promise<string[]> {
  const host = await prepared(mesh, trial.work)
  const [, peer] = mesh.hosts as [Host, Host]
  const pluginFlaws = trial.work.cni === undefined ? noFlaws : await asThePluginsWere(host)
  const fileFlaws = trial.work.node === undefined ? noFlaws : await asTheUnitWas(host)
  const [traffic, routes] = await Promise.all([mesh.traffic(host, peer), mesh.watchRoutes(peer)])
  const flaws = await dieIn(host, trial)
  if (trial.powerCut) flaws.push(...(await afterPowerCut(host, trial)))
  if (trial.resumed === false) {
    await Promise.all([traffic.stop(), routes.stop()])
    const outcome = 'no resume'
    flaws.push(...(await containerFlaws(host, { outcome, changed: false }, trial.work)))
    return [...flaws, ...(await pluginFlaws(outcome)), ...(await fileFlaws(outcome))]
  }
  const report = await resume(host)
  await mesh.untilSettled()
  const [{ lost }, withdrawn] = [await traffic.stop(), await routes.stop()]
  // A host without power sends nothing; what must not be lost then are its routes.
  if (lost > 0 && !trial.powerCut) flaws.push(`${lost} packets lost`)
  if (withdrawn.length > 0) flaws.push(`${withdrawn.length} routes withdrawn`)
  flaws.push(...(await containerFlaws(host, report, trial.work)))
  flaws.push(...(await pluginFlaws(report.outcome)), ...(await fileFlaws(report.outcome)))
  const again = await resume(host)
  if (again.outcome !== 'unchanged') flaws.push(`a second resume is ${again.outcome}`)
  return flaws
}

/** The host in the state from which the work starts. What fails here says nothing about the agent: it is tried again. */
export async function prepared(mesh: Mesh, work: Work, left = TRIES): Promise<Host> {
  const { command, image, node, cni } = work
  try {
    await mesh.reset(node?.reset)
    const [host] = mesh.hosts as [Host, Host]
    await host.writeFile(QUICK, quickConfig())
    if (cni !== undefined) await installOldPlugins(host)
    if (command === 'rollback') {
      await host.ok(['agent', 'upgrade', '--config', QUICK, '--node', image], { timeoutMs: 180_000 })
      await mesh.untilSettled()
    }
    return host
  } catch (error) {
    if (left === 1) throw error
    return await prepared(mesh, work, left - 1)
  }
}

async function dieIn(host: Host, { death, work }: Trial): Promise<string[]> {
  if ('point' in death) {
    const later = death.laterMs === undefined ? '' : `+${death.laterMs}`
    const { code, stdout } = await faultyAgent(host, work, { AGENT_FAULT: `${death.point}=kill${later}` })
    return code === KILLED ? [] : [`it did not die at ${death.point}: exit ${code}: ${stdout.slice(-600)}`]
  }
  const agent = await host.start(['agent', ...argvOf(work)])
  await sleep(death.afterMs)
  // It may have ended before: a death that came too late is a trial as well.
  await agent.kill('SIGKILL').catch(() => undefined)
  await agent.done
  return []
}

/** A registry that does not answer on a busy machine is a refusal of a run that never began: it is tried again. */
export async function faultyAgent(
  host: Host,
  work: Work,
  env: Record<string, string>,
  left = TRIES,
): Promise<ExecResult> {
  const argv = [`/opt/calico-agent/${FAULTY_AGENT}`, ...argvOf(work)]
  const ended = await host.run(argv, { env, timeoutMs: 180_000 })
  const isBusy = ended.code === REFUSED && ended.stdout.includes('"registry-unreachable"')
  return isBusy && left > 1 ? await faultyAgent(host, work, env, left - 1) : ended
}

function argvOf({ command, image, cni }: Work): string[] {
  const plugins = cni === undefined ? [] : ['--cni', cni]
  const target = command === 'upgrade' ? ['--node', image, ...plugins] : []
  return [command, '--config', QUICK, ...target, '--json']
}

export async function resume(host: Host): Promise<{ outcome: string; changed: boolean }> {
  const { stdout, stderr } = await host.run(['agent', 'resume', '--json'], { timeoutMs: 300_000 })
  try {
    return JSON.parse(stdout) as { outcome: string; changed: boolean }
  } catch {
    return { outcome: `no JSON: ${stderr.slice(-300)}`, changed: false }
  }
}

async function anyRuns(host: Host): Promise<boolean> {
  return (await nodes(host)).some(({ State }) => State.Running)
}

async function afterPowerCut(host: Host, { death, work }: Trial): Promise<string[]> {
  await host.powerCut()
  await host.powerOn()
  // a unit is up for systemd when its docker run has begun
  if (work.node) await until('the unit’s container', () => anyRuns(host))
  const running = (await nodes(host)).filter(({ State }) => State.Running)
  const expected =
    running.length === 1 || (running.length === 0 && 'point' in death && COMMIT_POINTS.test(death.point))
  return expected ? [] : [`${running.length} calico-nodes run after the boot`]
}
