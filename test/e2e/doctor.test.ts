// calico-agent doctor on real hosts: exit 0 where the upgrade can start, 3 where it cannot.

import { describe, expect, it } from 'vitest'
import type { DoctorReport } from '../../agent/core/report/doctor.ts'
import type { Host } from '../lab/index.ts'
import * as support from './support.ts'

/** The lab's registry in place of quay.io. */
const registry = support.image('').replace(/\/calico\/node:$/, '')

async function doctor(host: Host, ...args: string[]) {
  const { code, stdout } = await host.run(['agent', 'doctor', ...args, '--json'])
  const report = JSON.parse(stdout) as DoctorReport
  const failed = report.checks.filter(({ passes }) => !passes)
  return { code, report, failed: failed.map(({ severity, code: name }) => `${severity} ${name}`) }
}

describe('calico-agent doctor', () => {
  it('exits 0 on a healthy host, with and without a target, and touches nothing', async () => {
    const at = await support.world()
    const { host } = at
    const id = await support.nodeId(host)
    await support.configure(host, { registry })
    const cost = await support.costOf(at, async () => ({
      alone: await doctor(host),
      targeted: await doctor(host, '--to', 'v2.6.12'),
      human: await host.run(['agent', 'doctor', '--to', 'v2.6.12']),
    }))
    support.expectNoCost(cost)
    const { alone, targeted, human } = cost.result
    expect(alone).toMatchObject({ code: 0, failed: [], report: { ready: true, target: null } })
    expect(targeted).toMatchObject({
      code: 0,
      failed: [],
      report: { schema: 1, ready: true, target: support.image('v2.6.12') },
    })
    const names = ({ checks }: DoctorReport) => checks.map(({ code }) => code)
    expect(names(targeted.report)).toEqual(
      expect.arrayContaining([...names(alone.report), 'image-not-found', 'downgrade', 'mismatched-set']),
    )
    expect(names(alone.report)).not.toContain('image-not-found')
    expect(human).toMatchObject({ code: 0, stderr: '' })
    expect(human.stdout).toMatch(/^ok +BIRD answers \(IPv4\) {2}\[bird-down\]$/m)
    expect(human.stdout).toMatch(
      /^ok +the version moves forward \(node v2\.6\.5 -> v2\.6\.12\) {2}\[downgrade\]$/m,
    )
    expect(human.stdout).toContain(`the upgrade can start (${support.image('v2.6.12')})`)

    expect(await support.nodeId(host)).toBe(id)
    expect(await support.containers(host)).toEqual(['calico-node v2.6.5 running always'])
    expect(await host.exists('/var/lib/calico-agent')).toBe(false)
  })

  it('exits 3 on a host whose BIRD died, with what mends it', async () => {
    const at = await support.world({ policy: undefined })
    const { host } = at
    const inNode = (...argv: string[]) => host.ok(['docker', 'exec', 'calico-node', ...argv])
    const cost = await support.costOf(at, async () => {
      await inNode('killall', '-STOP', 'runsv')
      await inNode('killall', '-KILL', 'bird')
      const [json, human] = [await doctor(host), await host.run(['agent', 'doctor'])]
      await inNode('killall', '-CONT', 'runsv')
      return { ...json, human }
    })
    support.expectNoCost(cost)
    const { code, report, failed, human } = cost.result
    // on a fast machine the node has just started
    const lasting = failed.filter((name) => name !== 'warning just-started')
    expect({ code, ready: report.ready, failed: lasting }).toEqual({
      code: 3,
      ready: false,
      failed: ['warning no-restart-policy', 'error bird-down'],
    })
    expect(report.checks.find((check) => check.code === 'bird-down')).toMatchObject({
      seen: expect.stringContaining('nothing listens on it') as string,
      fix: expect.stringContaining('birdcl show status') as string,
    })
    expect(human.code).toBe(3)
    expect(human.stdout).toMatch(/^error +cannot take BIRD's baseline.* {2}\[bird-down\]$/m)
    expect(human.stdout).toMatch(/the upgrade would be refused: 1 error, [12] warnings?\n$/)
  })

  it('reads the version of the CNI plugin from the plugin', async () => {
    const { host } = await support.world()
    await support.configure(host, { node: { image: support.image('v2.6.12') } })
    await host.writeFile('/opt/cni/bin/calico', '#!/bin/sh\n[ "$1" = -v ] && echo v1.11.2\n', 0o755)
    const { code, report, failed } = await doctor(host)
    expect({ code, failed }).toEqual({ code: 0, failed: ['warning mismatched-set'] })
    expect(report.checks.at(-1)).toMatchObject({
      seen: 'this host will run cni v1.11.2, but release v2.6.12 includes v1.11.8',
      fix: 'upgrade it to quay.io/calico/cni:v1.11.8 too',
    })
    await host.writeFile('/opt/cni/bin/calico', '#!/bin/sh\necho v1.11.8\n', 0o755)
    expect((await doctor(host)).failed).toEqual([])
  })

  it('exits 3 where Docker does not run, and 2 for a bad config', async () => {
    const { host } = await support.world()
    expect(await doctor(host, '--docker-socket', '/nope')).toMatchObject({
      code: 3,
      failed: ['error docker-unreachable'],
    })
    expect(await doctor(host, '--to', 'v2.6.13')).toMatchObject({ code: 2, failed: ['error bad-config'] })
  })
})
