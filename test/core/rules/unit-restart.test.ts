import { describe, expect, it } from 'vitest'
import type { ObservedUnit } from '../../../agent/core/model.ts'
import { nodeRestartRules } from '../../../agent/core/rules/unit-restart.ts'
import type { ObservedAlong } from '../../../agent/core/unit/along.ts'
import { node, observed, unit, wanted } from '../observed.ts'
import { unitOf } from '../unit/units.ts'

/** The problems of a host whose calico/node this unit runs, as `code severity: message`. */
function problemsOf(changes: Partial<ObservedUnit>, movesPlugins = false): string[] {
  const cni = movesPlugins
    ? {
        installed: [{ name: 'calico', sha256: 'a', version: null }],
        offered: [{ name: 'calico', sha256: 'b' }],
        ...{ version: null, image: null, nodename: { written: true, optional: false }, problems: [] },
      }
    : null
  const host = observed({ cni, node: node({ unit: { ...unit(), ...changes } }) })
  return nodeRestartRules
    .flatMap((rule) => rule.look(host, wanted)?.problems ?? [])
    .map(({ code, severity, message }) => `${code} ${severity}: ${message}`)
}

const kubelet: ObservedAlong = {
  unit: 'kubelet.service',
  via: 'Requires=calico-node.service',
  does: 'stays',
  writes: [],
}

describe('a unit that is about to be restarted', () => {
  it('has nothing against it by itself', () => {
    expect(problemsOf({})).toEqual([])
  })

  it('is named with what stays up beside it', () => {
    expect(problemsOf({ along: [kubelet] })).toEqual([
      'units-along warning: kubelet.service is not restarted (Requires=calico-node.service): the agent restarts only calico-node.service',
    ])
  })

  it.each([
    ['done.service', 'warning'],
    ['kubelet.service', 'error'],
  ])('starts %s by its stop: %s', (name, severity) => {
    const one: ObservedAlong = { ...kubelet, unit: name, via: `OnSuccess=${name}`, does: 'starts' }
    expect(problemsOf({ along: [one] })[0]).toContain(`units-along ${severity}: `)
  })

  it.each([
    [false, 'warning'],
    [true, 'error'],
  ])('whose lines write plugins; that the run brings others: %s', (moves, severity) => {
    const line = 'ExecStartPre=/bin/cp /opt/a /opt/cni/bin/calico'
    const found = problemsOf({ writes: [line], along: [{ ...kubelet, writes: [line] }] }, moves)
    expect(found.filter((text) => text.startsWith(`unit-writes-cni ${severity}: `))).toHaveLength(2)
    expect(found.join()).toContain(`kubelet.service may install other CNI plugins at its next start: ${line}`)
  })

  it.each([
    ['start', 'notify', 'Type=notify waits for a notification (READY=1)'],
    ['start', 'oneshot', 'Type=oneshot waits for docker run to exit'],
    ['start-pre', 'simple', 'an ExecStartPre= is still running'],
    ['auto-restart', 'simple', 'systemd is about to start it again'],
  ])('is refused while it is activating: %s, %s', (sub, type, why) => {
    const [problem, ...others] = problemsOf({ state: unit({ active: 'activating', sub, type }).state })
    expect(problem).toContain('unit-activating error: ')
    expect(problem).toContain(why)
    expect(others).toEqual([])
  })

  it('is refused where its own command pulls', () => {
    const line = "ExecStart=/bin/sh -c 'docker pull a; exec docker run --name=calico-node a'"
    expect(problemsOf({ source: unitOf(`[Service]\n${line}\n`) })[0]).toContain(`slow-start error: `)
  })
})
