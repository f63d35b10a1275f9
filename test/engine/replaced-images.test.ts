// An admission webhook of the cluster replaces the images of new pods, as by those of a mirror.

import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { DeploymentHost } from './deployment-host.ts'
import { HostedHost } from './hosted-host.ts'
import type { HostedOptions } from './hosted-options.ts'

const admission = (image: string): string => image.replace(/^calico\//, 'mirror.example/calico/')

const CASES: [string, HostedOptions][] = [
  ['alone', {}],
  ['beside a host to come', { other: 'to come' }],
  ['beside a host that is done', { other: 'done' }],
  ['by a manifest', { manifest: true }],
  ['by a manifest, beside a host that is done', { manifest: true, other: 'done' }],
  ['without Docker', { containerd: true }],
  ['by a webhook that is younger than the pods', { admitsLate: true }],
  ['by a mirror of other digests', { mirrorDiffers: true }],
  ['by a mirror of other digests, without Docker', { mirrorDiffers: true, containerd: true }],
]

describe('images that an admission webhook replaces', () => {
  it.each(CASES)('are upgraded once: %s', async (_, options) => {
    const host = await HostedHost.create({ ...options, admission })
    expect({ outcome: await host.run(), problems: host.problems }).toEqual({
      outcome: 'upgraded',
      problems: [],
    })
    expect(await host.flaws('upgraded')).toEqual([])
    expect((await host.plan()).steps).toEqual([])
  })

  it.each(CASES)('give way to the old ones where they crash: %s', async (_, options) => {
    const host = await HostedHost.create({ ...options, newExitsAfter: 300, admission })
    expect(await host.run()).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it.each<[string, HostedOptions]>([
    ['upgraded', {}],
    ['rolled-back', { newExitsAfter: 300 }],
  ])('need no right to read the revisions of the DaemonSet: %s', async (outcome, options) => {
    const host = await HostedHost.create({ ...options, admission })
    const forbidden = new AgentError('kubernetes-forbidden', 'cannot get ControllerRevision', { fix: '' })
    host.cluster.getObject = () => Promise.reject(forbidden)
    expect(await host.run()).toBe(outcome)
    expect(host.node.violations).toEqual([])
  })

  it.each(['runs', 'crashes'] as const)(
    'of the controllers of a Deployment: the new one %s',
    async (fate) => {
      const host = new DeploymentHost({ fate })
      host.cluster.admission = admission
      const outcome = fate === 'runs' ? 'upgraded' : 'rolled-back'
      expect(await host.upgrade()).toBe(outcome)
      expect(await host.flaws(outcome)).toEqual([])
    },
  )
})
