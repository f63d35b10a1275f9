import { describe, expect, it } from 'vitest'
import { TEMPLATE_ANNOTATION } from '../../agent/core/kubernetes/daemon-set.ts'
import { giveStrategyBackIfDone } from '../../agent/steps/daemon-set/restore-strategy.ts'
import { NEW } from './hosted-flaws.ts'
import { HostedHost } from './hosted-host.ts'
import type { HostedOptions } from './hosted-options.ts'

const SET = { namespace: 'kube-system', name: 'calico-node' }
const noBird: HostedOptions['newBird'] = () => [{ at: 0, view: { state: 'down' } }]
const template = ({ cluster }: HostedHost): string | undefined =>
  cluster.set.spec.template.spec.containers[0]?.image

describe('somebody who edits the DaemonSet', () => {
  const theirs = 'calico/node:v3.19.0'
  const edit = ({ cluster }: HostedHost): void => {
    cluster.edit(({ spec }) => {
      spec.template.spec.containers = [{ name: 'calico-node', image: theirs }]
    })
  }
  it('before the run writes it has it refused', async () => {
    const host = await HostedHost.create()
    host.agent.onMove = (_, what) => {
      if (what !== 'pullImage') return
      host.cluster.edit(({ spec }) => (spec.updateStrategy = { type: 'OnDelete' }))
      edit(host)
    }
    expect(await host.run()).toBe('refused')
    expect(host.problems[0]).toContain('template-changed')
    expect(host.problems[0]).toContain(theirs)
    expect(template(host)).toBe(theirs)
    expect(host.ops.filter((op) => op.startsWith('docker kill'))).toEqual([])
  })

  it('while the new pod passes the gate keeps it, and the strategy comes back once all pods are theirs', async () => {
    const host = await HostedHost.create()
    host.agent.onMove = (_, what) => {
      if (what === 'killContainer') host.cluster.edit(() => undefined)
    }
    expect(await host.run()).toBe('upgraded')
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('before the new pod is made has nothing of theirs undone', async () => {
    const host = await HostedHost.create()
    host.docker.images.publish(theirs)
    host.docker.images.pull(theirs, () => undefined)
    host.agent.onMove = (_, what) => {
      if (what === 'killContainer' && template(host) !== theirs) edit(host)
    }
    expect(await host.run()).toBe('stuck')
    expect(host.problems.join()).toContain('template-changed')
    expect(template(host)).toBe(theirs)
    expect((await host.docker.runningContainers()).map((one) => one.image)).toEqual([theirs])
    expect([host.routes.held, ...host.kubelet.violations]).toEqual([false])
  })
})

describe('somebody who edits the DaemonSet before its controller knows of the run’s change', () => {
  it('is told that the template is left, where the pod has not moved', async () => {
    const host = await HostedHost.create()
    host.cluster.hearsAfterMs = 600_000
    host.cluster.onWrite = (what) => {
      if (what !== 'patched') return
      host.cluster.onWrite = () => undefined
      void host.clock.sleep(5_000).then(() => {
        host.cluster.edit(({ metadata }) => (metadata.annotations = { ...metadata.annotations, theirs: '' }))
      })
    }
    expect(await host.run()).toBe('rolled-back')
    expect(host.problems.join()).toContain('template-changed')
    expect(template(host)).toBe(NEW)
    expect(host.cluster.pods[0]?.metadata.name).toBe('calico-node-1')
  })
})

describe('somebody who edits the DaemonSet while the old pod comes back', () => {
  it('has their pod left as it is', async () => {
    const theirs = 'calico/node:v3.19.0'
    const host = await HostedHost.create({ newBird: noBird })
    host.docker.images.publish(theirs)
    host.docker.images.pull(theirs, () => undefined)
    let removals = 0
    host.cluster.onWrite = (what) => {
      if (what !== 'remove' || ++removals !== 2) return
      host.cluster.edit(({ spec }) => {
        spec.template.spec.containers = [{ name: 'calico-node', image: theirs }]
      })
    }
    expect(await host.run()).toBe('stuck')
    expect(host.problems.join()).toContain('template-changed')
    await host.clock.sleep(5_000)
    expect((await host.docker.runningContainers()).map((one) => one.image)).toEqual([theirs])
    expect([removals, host.routes.held]).toEqual([2, false])
  })
})

describe('somebody who edits the DaemonSet while a pod is on trial that fails', () => {
  it('has nothing of theirs undone, and is told', async () => {
    const theirs = 'calico/node:v3.19.0'
    const host = await HostedHost.create({ newBird: noBird })
    void host.clock.sleep(5_000).then(() => {
      host.cluster.edit(({ spec }) => {
        spec.template.spec.containers = [{ name: 'calico-node', image: theirs }]
      })
    })
    expect(await host.run()).toBe('stuck')
    expect(host.problems.join()).toContain('template-changed')
    expect((await host.docker.runningContainers()).map((one) => one.image)).toEqual([NEW])
  })
})

describe('a DaemonSet that had OnDelete before', () => {
  it.each<[string, HostedOptions]>([
    ['upgraded', {}],
    ['rolled-back', { newExitsAfter: 300 }],
  ])('keeps it, and no mark, when it is %s', async (outcome, options) => {
    const host = await HostedHost.create(options)
    host.cluster.edit(({ spec }) => (spec.updateStrategy = { type: 'OnDelete' }))
    expect(await host.run()).toBe(outcome)
    const { spec, metadata } = host.cluster.set
    expect(spec.updateStrategy).toEqual({ type: 'OnDelete' })
    expect(metadata.annotations).not.toHaveProperty(TEMPLATE_ANNOTATION)
  })
})

describe('an agent of another host that begins a newer rollout', () => {
  it('has its template left as it is', async () => {
    const theirs = 'calico/node:v3.21.0'
    const host = await HostedHost.create({ newBird: noBird })
    void host.clock.sleep(5_000).then(() => {
      host.cluster.edit(({ metadata, spec }) => {
        const mark = {
          run: 'theirs',
          generation: metadata.generation + 1,
          strategy: { type: 'RollingUpdate' },
        }
        metadata.annotations = { [TEMPLATE_ANNOTATION]: JSON.stringify(mark) }
        spec.template.spec.containers = [{ name: 'calico-node', image: theirs }]
      })
    })
    expect(await host.run()).toBe('stuck')
    expect(host.problems.join()).toContain('template-changed')
    expect(template(host)).toBe(theirs)
  })
})

describe('a template that somebody else gave the new image already', () => {
  it.each<[string, HostedOptions]>([
    ['upgraded', {}],
    ['rolled-back', { newExitsAfter: 300 }],
  ])('is marked, so that there is a way back: %s', async (outcome, options) => {
    const host = await HostedHost.create(options)
    host.cluster.edit(({ spec }) => {
      spec.updateStrategy = { type: 'OnDelete' }
      spec.template.spec.containers = [{ name: 'calico-node', image: NEW }]
    })
    expect(await host.run()).toBe(outcome)
    const { spec, metadata } = host.cluster.set
    expect(spec.updateStrategy).toEqual({ type: 'OnDelete' })
    expect(metadata.annotations).not.toHaveProperty(TEMPLATE_ANNOTATION)
    const running = await host.docker.runningContainers()
    const image = outcome === 'upgraded' ? NEW : 'calico/node:v3.17.6'
    expect([template(host), ...running.map((one) => one.image)]).toEqual([image, image])
  })
})

describe('another host that ends the rollout while the new pod is on trial', () => {
  it.each([
    ['has this one keep a pod that passes', undefined, 'upgraded'],
    ['does not keep this one from its way back', noBird, 'rolled-back'],
  ] as const)('%s', async (_, newBird, outcome) => {
    const host = await HostedHost.create({ ...(newBird && { newBird }) })
    let ended: Promise<unknown> | undefined
    host.agent.onMove = (_, what) => {
      if (what !== 'killContainer') return
      // as an upgrade there that finds nothing to do: the new pod counts as soon as it is there
      ended ??= host.clock.sleep(3_000).then(async () => {
        host.cluster.sync()
        await giveStrategyBackIfDone(SET, { kubernetes: host.cluster, clock: host.clock })
        expect(host.cluster.set.metadata.annotations).not.toHaveProperty(TEMPLATE_ANNOTATION)
      })
    }
    expect(await host.run()).toBe(outcome)
    await ended
    expect(await host.flaws(outcome)).toEqual([])
  })
})
