import type { ContainerInspectInfo } from 'dockerode'
import type { Host, ResetOptions } from '../lab/index.ts'

/** What the agent is in the middle of. */
export interface Work {
  /** A rollback takes back an upgrade to the image. */
  command: 'upgrade' | 'rollback'
  image: string
  /** How calico-node is started, and its restart policy then; by default `docker run --restart=always`. */
  node?: { reset: ResetOptions; policy: string }
  /** Its CNI plugins come from this image in the same run. */
  cni?: string
}

const BEFORE_ANY_UPGRADE = ':v2.6.5'
/** Preferences of the rules by which the agent holds the pods' routes. */
const HELD_ROUTES = /^3272[45]:/m

/** Old or new, whole: one calico-node under its own name and policy, and nothing beside it but parked ones. */
export async function containerFlaws(
  host: Host,
  report: { outcome: string; changed: boolean },
  work: Work,
): Promise<string[]> {
  const all = await nodes(host)
  const running = all.filter(({ State }) => State.Running)
  const [node] = running
  if (running.length !== 1 || !node) return [`${running.length} calico-nodes run after ${report.outcome}`]
  const flaws: string[] = []
  const policy = node.HostConfig.RestartPolicy?.Name ?? ''
  if (node.Name !== '/calico-node') flaws.push(`it is named ${node.Name}`)
  if (policy !== (work.node?.policy ?? 'always')) flaws.push(`its policy is ${policy}`)
  const isNew = !node.Config.Image.endsWith(BEFORE_ANY_UPGRADE)
  const expected = expectedNew(report, work)
  if (expected !== undefined && isNew !== expected)
    flaws.push(`${report.outcome}, and ${node.Config.Image} runs`)
  for (const other of all.filter(({ Id }) => Id !== node.Id)) {
    const parked =
      other.Name.startsWith('/calico-node-parked-') && other.HostConfig.RestartPolicy?.Name === 'no'
    if (!parked) flaws.push(`${other.Name} is left`)
  }
  if (HELD_ROUTES.test(await host.ok(['sh', '-c', 'ip -4 rule; ip -6 rule']))) flaws.push('routes are held')
  return flaws
}

/** Whether the upgrade's image is what must run by that report; undefined where it says nothing about it. */
function expectedNew(
  { outcome, changed }: { outcome: string; changed: boolean },
  { command }: Work,
): boolean | undefined {
  if (outcome === 'upgraded') return true
  if (outcome !== 'rolled-back') return undefined
  return command === 'rollback' && !changed
}

export async function nodes(host: Host): Promise<ContainerInspectInfo[]> {
  const listed = await host.docker.listContainers({ all: true })
  return await Promise.all(listed.map(({ Id }) => host.docker.getContainer(Id).inspect()))
}
