import { EngineError } from '../../agent/adapters/docker/errors.ts'
import type { ContainerJson } from '../../agent/core/docker/json.ts'
import type { RunningContainer } from '../../agent/core/docker/second-node.ts'

/** `key` or `key=value`, as the Engine's filter takes it. */
export function hasLabel(labels: Record<string, string>, label: string): boolean {
  const [key = '', ...value] = label.split('=')
  return key in labels && (value.length === 0 || labels[key] === value.join('='))
}

export function nameOf(json: ContainerJson): string {
  return json.Name.slice(1)
}

/** As the Engine's list has it. */
export function runningOf(json: ContainerJson): RunningContainer {
  const { Image, Entrypoint, Cmd, Labels } = json.Config
  return {
    id: json.Id,
    name: nameOf(json),
    image: Image,
    command: [...(Entrypoint ?? []), ...(Cmd ?? [])].join(' '),
    labels: { ...Labels },
    networkMode: json.HostConfig.NetworkMode,
    mounts: json.Mounts.map(({ Destination, RW }) => ({ target: Destination, writable: RW })),
  }
}

export function refusal(what: string, status: number, reply: string): EngineError {
  return new EngineError(what, status, reply, undefined)
}

export function timedOut(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => {
      resolve(undefined)
    }, ms).unref()
  })
}
