import { describe, expect, it } from 'vitest'
import {
  type DaemonSetObject,
  observedDaemonSet,
  type PodObject,
} from '../../../agent/core/kubernetes/daemon-set.ts'
import type { Observed } from '../../../agent/core/model.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { hostedNode, NODE } from '../daemon-set.ts'
import { observed, wanted } from '../observed.ts'

const found = (changes: Parameters<typeof hostedNode>[0], more: Partial<Observed> = {}): string[] =>
  preflight(observed({ node: hostedNode(changes), ...more }), wanted).map(
    ({ code, message }) => `${code}: ${message}`,
  )

const meta = { name: 'calico-node', namespace: 'kube-system', uid: 'u', resourceVersion: '1', generation: 1 }
const containers = [{ name: 'calico-node', image: NODE }]
const set: DaemonSetObject = {
  metadata: meta,
  spec: { updateStrategy: { type: 'OnDelete' }, template: { spec: { containers } } },
}
const pod: PodObject = { metadata: { ...meta, name: 'calico-node-1' }, spec: { containers } }

describe('a DaemonSet that an operator keeps', () => {
  it('is refused', () => {
    const ownerReferences = [{ kind: 'Installation', name: 'default', controller: true }]
    const { keeper } = observedDaemonSet({ ...set, metadata: { ...meta, ownerReferences } }, pod)
    expect(keeper).toBe('Installation default')
    expect(found({ keeper: 'Installation default' }).join()).toMatch(
      /hosted-install: .*Installation default keeps DaemonSet kube-system\/calico-node, and would put/,
    )
    expect(observedDaemonSet(set, pod).keeper).toBeUndefined()
    expect(found({}).join()).not.toContain('hosted-install')
  })
})
