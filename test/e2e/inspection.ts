import type { Host } from '../lab/index.ts'

/** A container as `docker inspect` shows it, field by field. */
export type Fields = Record<string, unknown>

/** What every container has of its own, and what Docker alone decides. */
const own =
  /^(Id|Created|Image|State|RestartCount|ResolvConfPath|HostnamePath|HostsPath|LogPath|GraphDriver)\b/
const ownOfNetwork = /^NetworkSettings\.(SandboxID|SandboxKey|Networks\.\w+\.(EndpointID|NetworkID))$/
/** An anonymous volume is carried as a bind of its name: `Mounts` tells what is there. */
const askedMounts = /^(HostConfig\.(Binds|Mounts)|Config\.Volumes)\b/

const isCompared = (field: string): boolean =>
  ![own, ownOfNetwork, askedMounts].some((pattern) => pattern.test(field))

/** Environment variables count as fields; a volume counts by its name, wherever it stands. */
export async function inspected(host: Host, container = 'calico-node'): Promise<Fields> {
  const { Config, Mounts, HostConfig, ...rest } = await host.docker.getContainer(container).inspect()
  const variables = Config.Env.map((entry) => {
    const [name = '', ...value] = entry.split('=')
    return [name, value.join('=')] as const
  })
  const mounts = Mounts.map(({ Destination, Source, RW, Propagation }) => {
    return [Destination, { Source, RW, Propagation }] as const
  })
  const all = {
    ...rest,
    HostConfig,
    Config: { ...Config, Env: Object.fromEntries(variables) },
    Mounts: Object.fromEntries(mounts),
  }
  const kept = flatten('', all).filter(([field]) => isCompared(field))
  return Object.fromEntries(kept)
}

/** `field: [before, after]` of every field that differs. */
export function changedFields(before: Fields, after: Fields): Record<string, [unknown, unknown]> {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)])
  const changed = [...fields].filter((field) => before[field] !== after[field])
  return Object.fromEntries(changed.map((field) => [field, [before[field], after[field]]]))
}

/** Empty, null and absent are one. */
function flatten(path: string, value: unknown): [string, unknown][] {
  if (value === null || value === undefined) return []
  if (typeof value !== 'object') return [[path, value]]
  return Object.entries(value).flatMap(([key, inner]) =>
    flatten(path === '' ? key : `${path}.${key}`, inner as unknown),
  )
}
