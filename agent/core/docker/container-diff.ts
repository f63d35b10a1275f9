import { redactArgs, redactValue } from '../redact/redact.ts'
import type { DiffEntry } from '../report/report.ts'
import type { ContainerSpec } from './container-spec.ts'
import { envMap } from './health.ts'
import type { ContainerConfig } from './json.ts'

/** A create request and, where the image is on this host, the defaults that it adds. */
export interface Side {
  spec: ContainerSpec
  imageConfig: Partial<ContainerConfig> | null
}

/**
 * The change of a container, a line a field, secrets hidden. The images' own defaults are taken in only when both
 * are known, so that a default is never shown as a change that nobody made.
 */
export function containerDiff(name: string, before: Side, after: Side): DiffEntry {
  const defaults = before.imageConfig !== null && after.imageConfig !== null
  return {
    target: `container ${name}`,
    before: fieldLines(before.spec, defaults ? before.imageConfig : null),
    after: fieldLines(after.spec, defaults ? after.imageConfig : null),
  }
}

/** What a program is run by: the image's, where its operator says nothing. */
const RUN_BY = /^(User|Entrypoint|Cmd|WorkingDir|Healthcheck|StopSignal|Volumes)\b/

/** Of a container that a file describes: only what another image changes in how it is run, which the file does not show. */
export function runByDiff(name: string, before: Side, after: Side): DiffEntry[] {
  const whole = containerDiff(name, before, after)
  const lines = (text: string) =>
    text
      .split('\n')
      .filter((line) => RUN_BY.test(line))
      .join('\n')
  const diff = { ...whole, before: lines(whole.before), after: lines(whole.after) }
  return diff.before === diff.after ? [] : [diff]
}

function fieldLines({ body }: ContainerSpec, imageConfig: Partial<ContainerConfig> | null): string {
  const { HostConfig, NetworkingConfig, ...config } = body
  const lines = [
    ...flatten('', { ...config, ...effective(config, imageConfig ?? {}), Image: config.Image, Env: null }),
    ...envLines(config.Env, imageConfig?.Env),
    ...flatten('HostConfig', HostConfig),
    ...flatten('Networks', NetworkingConfig?.EndpointsConfig ?? {}),
  ]
  return lines.sort().join('\n')
}

function effective(own: ContainerConfig, inherited: Partial<ContainerConfig>): Partial<ContainerConfig> {
  // Docker's own rule: an operator's Entrypoint discards the image's Cmd.
  const cmd = own.Cmd ?? (own.Entrypoint ? undefined : inherited.Cmd)
  return {
    ...inherited,
    ...own,
    Cmd: cmd ?? null,
    Entrypoint: own.Entrypoint ?? inherited.Entrypoint ?? null,
    Labels: { ...inherited.Labels, ...own.Labels },
    ExposedPorts: { ...inherited.ExposedPorts, ...own.ExposedPorts },
    Volumes: { ...inherited.Volumes, ...own.Volumes },
  }
}

function envLines(own: string[] | null | undefined, inherited: string[] | null | undefined): string[] {
  const merged = new Map([...envMap(inherited), ...envMap(own)])
  return [...merged].map(([key, value]) => `Env.${key}: ${redactValue(key, value)}`)
}

/** `Path.to.field: value`, empty fields left out. */
function flatten(path: string, value: unknown): string[] {
  if (value === null || value === undefined || value === '' || value === false || value === 0) return []
  if (Array.isArray(value)) return value.length === 0 ? [] : [`${path}: ${JSON.stringify(redactList(value))}`]
  if (typeof value === 'object') {
    return Object.entries(value).flatMap(([key, inner]) =>
      flatten(path === '' ? key : `${path}.${key}`, inner),
    )
  }
  return [`${path}: ${redactValue(path, typeof value === 'string' ? value : JSON.stringify(value))}`]
}

function redactList(list: unknown[]): unknown[] {
  return list.every((item) => typeof item === 'string') ? redactArgs(list) : list
}
