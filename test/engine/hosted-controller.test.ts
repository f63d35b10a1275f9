// The controller of a DaemonSet is behind: it does not know of a change yet, or has not counted its pods.

import { describe, expect, it } from 'vitest'
import { NEW, OLD, OLD_MTU } from './hosted-flaws.ts'
import { HostedHost } from './hosted-host.ts'
import type { HostedOptions } from './hosted-options.ts'

const BETWEEN = 'calico/node:v3.19.0'

describe('a controller of DaemonSets that knows of a change late', () => {
  const nameOf = ({ cluster }: HostedHost) => cluster.pods.at(-1)?.metadata.name

  it.each<HostedOptions>([{}, { config: 'alone' }, { containerd: true }, { manifest: true }])(
    'makes one pod, of the new template: %o',
    async (options) => {
      const host = await HostedHost.create(options)
      host.cluster.hearsAfterMs = 4_000
      expect({ outcome: await host.run(), problems: host.problems }).toEqual({
        outcome: 'upgraded',
        problems: [],
      })
      expect(await host.flaws('upgraded')).toEqual([])
      expect(nameOf(host)).toBe('calico-node-2')
    },
  )

  it('makes one pod of the old template where the new one does not pass', async () => {
    const host = await HostedHost.create({ newExitsAfter: 300 })
    host.cluster.hearsAfterMs = 4_000
    expect(await host.run()).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
    expect(nameOf(host)).toBe('calico-node-3')
  })

  it('keeps the pod where it does not come to know of it', async () => {
    const host = await HostedHost.create()
    host.cluster.hearsAfterMs = 600_000
    expect(await host.run()).toBe('rolled-back')
    expect(host.problems[0]).toContain('daemonset-not-observed')
    expect(nameOf(host)).toBe('calico-node-1')
    expect(host.node.violations).toEqual([])
    // nobody counts the pods yet
    expect(host.problems.join()).toMatch(/keeps its update strategy OnDelete: .*not observed the last change/)
  })

  it('has its strategy back where it comes to know of the way back', async () => {
    const host = await HostedHost.create()
    host.cluster.hearsAfterMs = 40_000
    expect(await host.run()).toBe('rolled-back')
    expect(host.problems.map((one) => one.split(':')[0])).toEqual(['daemonset-not-observed'])
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it('has the peers looked at again: what recovers by then is not killed', async () => {
    const host = await HostedHost.create()
    const { cluster, clock, docker, node } = host
    cluster.hearsAfterMs = 4_000
    cluster.onWrite = (what) => {
      if (what === 'patch') void clock.sleep(1_000).then(() => docker.killContainer(node.container ?? ''))
      cluster.onWrite = () => undefined
    }
    const outcome = await host.run()
    expect(host.problems[0]).toContain('changed-meanwhile')
    expect(await host.flaws(outcome)).toEqual([])
    expect(nameOf(host)).toBe('calico-node-1')
  })
})

/** Another controller makes the next pod, and does not know of the last change yet. */
function failsOver({ cluster }: HostedHost): void {
  cluster.onWrite = (what) => {
    if (what !== 'removed') return
    cluster.failOver()
    cluster.onWrite = () => undefined
  }
}

/** The template of an earlier rollout. */
function leaveTemplate({ cluster }: HostedHost, image: string): void {
  cluster.edit(({ spec }) => {
    spec.updateStrategy = { type: 'OnDelete' }
    spec.template.spec.containers = spec.template.spec.containers.map((one) => ({ ...one, image }))
  })
}

describe('a pod that was made from another template than the run wrote', () => {
  it.each<HostedOptions>([{}, { config: 'alone' }, { containerd: true }, { manifest: true }])(
    'is not called upgraded: %o',
    async (options) => {
      const host = await HostedHost.create(options)
      failsOver(host)
      const outcome = await host.run()
      expect({ outcome, problem: host.problems[0] }).toEqual({
        outcome: 'rolled-back',
        problem: expect.stringContaining('from the old template') as string,
      })
      expect(await host.flaws(outcome)).toEqual([])
    },
  )

  it('is not, where the old template was that of neither', async () => {
    const host = await HostedHost.create()
    host.docker.images.publish(BETWEEN)
    leaveTemplate(host, BETWEEN)
    await host.clock.sleep(1_000)
    failsOver(host)
    expect(await host.run()).toBe('rolled-back')
    expect(host.problems[0]).toContain(`its calico-node has ${BETWEEN}, not ${NEW}`)
    const running = await host.docker.runningContainers()
    expect(running.map((one) => one.image)).toEqual([OLD])
  })

  it('is told from one of a revision that this host had before', async () => {
    const host = await HostedHost.create()
    expect(await host.run()).toBe('upgraded')
    // as the way back of another host
    leaveTemplate(host, OLD)
    await host.clock.sleep(1_000)
    expect({ outcome: await host.run(), problems: host.problems }).toEqual({
      outcome: 'upgraded',
      problems: [],
    })
    const running = await host.docker.runningContainers()
    expect(running.map((one) => one.image)).toEqual([NEW])
  })
})

describe('a kubelet that knows of the new keys late', () => {
  it('does not have the host called upgraded', async () => {
    const host = await HostedHost.create({ config: 'alone' })
    const { kubelet } = host
    const now = kubelet.env
    kubelet.env = () => {
      kubelet.env = now
      return [`MTU=${OLD_MTU}`]
    }
    expect(await host.run()).toBe('rolled-back')
    expect(host.problems[0]).toContain('its MTU is not what ConfigMap kube-system/calico-config has')
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})

it.each<[string, HostedOptions]>([
  ['upgraded', {}],
  ['upgraded', { other: 'done' }],
  ['rolled-back', { newExitsAfter: 300 }],
])('a controller that counts its pods late does not keep the strategy: %s', async (outcome, options) => {
  const host = await HostedHost.create(options)
  host.cluster.countsAfterMs = 10_000
  expect({
    outcome: await host.run(),
    problems: host.problems.filter((one) => !one.startsWith('gate-failed')),
  }).toEqual({
    outcome,
    problems: [],
  })
  expect(await host.flaws(outcome)).toEqual([])
})
