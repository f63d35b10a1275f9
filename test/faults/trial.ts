import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ExecResult,
  type Host,
  installOldPlugins,
  type Mesh,
  pluginState,
  pluginsOf,
} from '../lab/index.ts'

/** One death of the agent in an upgrade to this image. */
export interface Trial {
  /** At a fault point, or by a SIGKILL so many ms after its start. */
  death: { point: string } | { afterMs: number }
  image: string
  /** Its CNI plugins come from this image in the same run. */
  cni?: string
  /** The whole host loses its power right after, and boots. */
  powerCut: boolean
  /** False is the control: nobody puts the host right. */
  resumed?: boolean
}

/** The executable with fault points, as the lab's hosts have it. */
export const FAULTY_AGENT = 'agent-with-faults'

const QUICK = '/tmp/quick.yaml'
const QUICK_CONFIG = 'window: 30\nsettle: 1\n'
const TRACE = '/tmp/fault-points'
const KILLED = 137
/** Between the two policies of the commit a boot starts none, and the resume at boot starts the one. */
const COMMIT_POINTS = /docker\.setRestartPolicy/

/** The points that an upgrade to the image passes, in their order. */
export async function faultPoints(mesh: Mesh, image: string): Promise<string[]> {
  await mesh.reset()
  const [host] = mesh.hosts as [Host, Host]
  await upgrade(host, { image }, { AGENT_FAULT_TRACE: TRACE })
  return (await host.readFile(TRACE)).trim().split('\n')
}

/** In words, all that is not as it must be after the agent died there and was resumed; empty when all is well. */
export async function flawsOf(mesh: Mesh, trial: Trial): Promise<string[]> {
  await mesh.reset()
  const [host, peer] = mesh.hosts as [Host, Host]
  const pluginFlaws = trial.cni === undefined ? () => Promise.resolve([]) : await withOldPlugins(host)
  const [traffic, routes] = await Promise.all([mesh.traffic(host, peer), mesh.watchRoutes(peer)])
  const flaws = await dieIn(host, trial)
  if (trial.powerCut) flaws.push(...(await afterPowerCut(host, trial)))
  if (trial.resumed === false) {
    await Promise.all([traffic.stop(), routes.stop()])
    return [...flaws, ...(await containerFlaws(host, 'no resume'))]
  }
  const outcome = await resume(host)
  await mesh.untilSettled({ timeoutMs: 120_000 })
  const [{ lost }, withdrawn] = [await traffic.stop(), await routes.stop()]
  // A host without power sends nothing; what must not be lost then are its routes.
  if (lost > 0 && !trial.powerCut) flaws.push(`${lost} packets lost`)
  if (withdrawn.length > 0) flaws.push(`${withdrawn.length} routes withdrawn`)
  flaws.push(...(await containerFlaws(host, outcome)), ...(await pluginFlaws(outcome)))
  const again = await resume(host)
  if (again !== 'unchanged') flaws.push(`a second resume is ${again}`)
  return flaws
}

/** Old plugins on the host; what is wrong with them after a run that ended so. */
async function withOldPlugins(host: Host): Promise<(outcome: string) => Promise<string[]>> {
  await installOldPlugins(host)
  const before = await pluginState(host)
  return async (outcome) => {
    if (outcome !== 'upgraded')
      return (await pluginState(host)) === before ? [] : [`after ${outcome} the plugins differ`]
    const found = await pluginsOf(host)
    const mixed = found['calico'] !== found['calico-ipam'] || found['calico'] === 'of old'
    const left = Object.keys(found).filter((file) => file.endsWith('.new'))
    return mixed || left.length > 0 ? [`after ${outcome} the plugins are ${JSON.stringify(found)}`] : []
  }
}

async function dieIn(host: Host, { death, ...asked }: Trial): Promise<string[]> {
  if ('point' in death) {
    const { code, stdout } = await upgrade(host, asked, { AGENT_FAULT: `${death.point}=kill` })
    return code === KILLED ? [] : [`it did not die at ${death.point}: exit ${code}: ${stdout.slice(-600)}`]
  }
  await host.writeFile(QUICK, QUICK_CONFIG)
  const agent = await host.start(['agent', ...upgradeArgs(asked)])
  await sleep(death.afterMs)
  // It may have ended before: a death that came too late is a trial as well.
  await agent.kill('SIGKILL').catch(() => undefined)
  await agent.done
  return []
}

type Asked = Pick<Trial, 'image' | 'cni'>

function upgradeArgs({ image, cni }: Asked): string[] {
  const plugins = cni === undefined ? [] : ['--cni', cni]
  return ['upgrade', '--config', QUICK, '--node', image, ...plugins, '--json']
}

async function upgrade(host: Host, asked: Asked, env: Record<string, string>): Promise<ExecResult> {
  await host.writeFile(QUICK, QUICK_CONFIG)
  const argv = [`/opt/calico-agent/${FAULTY_AGENT}`, ...upgradeArgs(asked)]
  return await host.run(argv, { env, timeoutMs: 180_000 })
}

async function resume(host: Host): Promise<string> {
  const { stdout, stderr } = await host.run(['agent', 'resume', '--json'], { timeoutMs: 300_000 })
  try {
    return (JSON.parse(stdout) as { outcome: string }).outcome
  } catch {
    return `no JSON: ${stderr.slice(-300)}`
  }
}

async function afterPowerCut(host: Host, { death }: Trial): Promise<string[]> {
  await host.powerCut()
  await host.powerOn()
  const running = (await nodes(host)).filter(({ State }) => State.Running)
  const expected =
    running.length === 1 || (running.length === 0 && 'point' in death && COMMIT_POINTS.test(death.point))
  return expected ? [] : [`${running.length} calico-nodes run after the boot`]
}

/** Old or new, whole: one calico-node under its own name and policy, and nothing beside it but a parked one. */
async function containerFlaws(host: Host, outcome: string): Promise<string[]> {
  const all = await nodes(host)
  const running = all.filter(({ State }) => State.Running)
  const flaws: string[] = []
  const [node] = running
  if (running.length !== 1 || !node) return [`${running.length} calico-nodes run after ${outcome}`]
  if (node.Name !== '/calico-node') flaws.push(`it is named ${node.Name}`)
  if (node.HostConfig.RestartPolicy?.Name !== 'always')
    flaws.push(`its policy is ${node.HostConfig.RestartPolicy?.Name ?? ''}`)
  if (outcome === 'upgraded' && node.Config.Image.endsWith(':v2.6.5'))
    flaws.push('upgraded, and the old image runs')
  if (outcome === 'rolled-back' && !node.Config.Image.endsWith(':v2.6.5'))
    flaws.push('rolled back, and the new image runs')
  for (const other of all.filter(({ Id }) => Id !== node.Id)) {
    const parked =
      other.Name.startsWith('/calico-node-parked-') && other.HostConfig.RestartPolicy?.Name === 'no'
    if (!parked) flaws.push(`${other.Name} is left`)
  }
  return flaws
}

async function nodes(host: Host) {
  const listed = await host.docker.listContainers({ all: true })
  return await Promise.all(listed.map(({ Id }) => host.docker.getContainer(Id).inspect()))
}
