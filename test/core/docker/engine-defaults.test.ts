import { describe, expect, it } from 'vitest'
import { withoutEngineDefaults } from '../../../agent/core/docker/engine-defaults.ts'

const hidden1806 = [
  ...['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list'],
  ...['/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware'],
]
const hidden2010 = ['/proc/asound', ...hidden1806]
const hidden25 = [...hidden2010, '/sys/devices/virtual/powercap']
const throttled = [0, 1, 11].map((cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`)
const hidden29 = ['/proc/interrupts', ...hidden25, ...throttled]
const readonly2010 = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

const own = { NetworkMode: 'host', RestartPolicy: { Name: 'always' } }
const kept = (fields: object) => withoutEngineDefaults({ ...own, ...fields })

describe('withoutEngineDefaults', () => {
  it.each<[string, string[], string[]]>([
    ['18.06', hidden1806, ['/proc/asound', ...readonly2010]],
    ['20.10', hidden2010, readonly2010],
    ['25', hidden25, readonly2010],
    ['29', hidden29, readonly2010],
  ])('leaves out what Engine %s filled in', (_, MaskedPaths, ReadonlyPaths) => {
    expect(kept({ MaskedPaths, ReadonlyPaths })).toEqual(own)
  })

  it.each<[string, object]>([
    ['--security-opt systempaths=unconfined', { MaskedPaths: [], ReadonlyPaths: [] }],
    ['--privileged', { MaskedPaths: null, ReadonlyPaths: null }],
    ['a list that shows one of them', { MaskedPaths: hidden2010.filter((path) => path !== '/proc/keys') }],
    ['a list that hides another one', { MaskedPaths: [...hidden2010, '/proc/cpuinfo'] }],
    ['a list that lets one be written', { ReadonlyPaths: readonly2010.slice(1) }],
    ['what no Engine changed since', { ShmSize: 67_108_864, IpcMode: 'private', Runtime: 'runc' }],
  ])('keeps what the operator asked for: %s', (_, fields) => {
    expect(kept(fields)).toEqual({ ...own, ...fields })
  })
})
