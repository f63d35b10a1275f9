import { isDeepStrictEqual } from 'node:util'
import type { ContainerJson } from '../../agent/core/docker/json.ts'
import { RUN } from './killable-run.ts'

interface Expected {
  name: string
  image: string
  policy: string
  /** The container before the run. */
  oldId: string
  upgraded: boolean
  /** Docker keeps what stopped. */
  kept: boolean
}

/** In words, what is not as it must be: one container runs, and beside it there is at most the way back. */
export function containerFlaws(containers: ContainerJson[], expected: Expected): string[] {
  const { name, image, policy, oldId, upgraded, kept } = expected
  const running = containers.filter(({ State }) => State.Running)
  const [one] = running
  if (one === undefined || running.length !== 1) return [`${running.length} containers run`]
  const flaws: string[] = []
  if (one.Name !== `/${name}`) flaws.push(`${one.Name} runs`)
  if (one.Config.Image !== image) flaws.push(`${one.Config.Image} runs`)
  if (one.HostConfig.RestartPolicy.Name !== policy) flaws.push(`it has another restart policy`)
  if (!upgraded && kept && one.Id !== oldId) flaws.push('the old container was made again')
  for (const other of containers.filter(({ Id }) => Id !== one.Id)) {
    const parked = upgraded && other.Id === oldId && other.Name === `/${name}-parked-${RUN}`
    if (!parked || other.HostConfig.RestartPolicy.Name !== 'no') flaws.push(`${other.Name} is left`)
  }
  if (upgraded && kept && containers.length !== 2) flaws.push('the way back is gone')
  return flaws
}

/** All old or all new, and nothing beside them but the way back. */
export function pluginFlaws(files: Map<string, string>, swapped: boolean): string[] {
  const expected: Record<string, string> = swapped
    ? { calico: 'new', 'calico-ipam': 'new', [`.calico-agent-${RUN}-calico.old`]: 'old' }
    : { calico: 'old' }
  const found = Object.fromEntries([...files].map(([path, text]) => [path.slice(13), text]))
  return isDeepStrictEqual(found, expected) ? [] : [`the plugins are ${JSON.stringify(found)}`]
}
