import type { HostConfig } from './json.ts'

/**
 * What an Engine hides from a container that asks for nothing of its own (moby oci/defaults.go): `always` in all of them
 * since 18.06, `some` came or went with a release, the last of them with a path for each CPU.
 */
const DEFAULTS: Record<string, { always: string[]; some: RegExp }> = {
  MaskedPaths: {
    always: [
      ...['/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats'],
      ...['/proc/sched_debug', '/proc/scsi', '/sys/firmware'],
    ],
    some: /^\/proc\/(acpi|asound|interrupts)$|^\/sys\/devices\/virtual\/powercap$|^\/sys\/devices\/system\/cpu\/cpu\d+\/thermal_throttle$/,
  },
  ReadonlyPaths: {
    always: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    some: /^\/proc\/asound$/,
  },
}

/**
 * Without the lists that an Engine filled in by itself: carried on, they would keep an old Engine's protection for ever.
 * `systempaths=unconfined` is an empty list, `--privileged` none: both are the operator's own, and stay.
 */
export function withoutEngineDefaults(host: HostConfig): HostConfig {
  const asked = Object.entries(host).filter(([field, value]) => !isDefault(field, value))
  return Object.fromEntries(asked) as HostConfig
}

function isDefault(field: string, value: unknown): boolean {
  const known = DEFAULTS[field]
  if (known === undefined || !Array.isArray(value)) return false
  const isKnown = (path: unknown): boolean =>
    typeof path === 'string' && (known.always.includes(path) || known.some.test(path))
  return known.always.every((path) => value.includes(path)) && value.every(isKnown)
}
