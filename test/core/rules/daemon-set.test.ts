import { describe, expect, it } from 'vitest'
import { type DaemonSetObject, observedDaemonSet } from '../../../agent/core/kubernetes/daemon-set.ts'
import type { PodObject } from '../../../agent/core/kubernetes/pod.ts'
import { templateDifferences } from '../../../agent/core/kubernetes/template-differences.ts'
import type { Observed } from '../../../agent/core/model.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { CNI, cniFrom, hostedNode, NODE } from '../daemon-set.ts'
import { digest, image, observed, wanted } from '../observed.ts'

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

describe('a tag that the pod names already, and that means another image now', () => {
  const remote = { digest: digest('b'), platforms: [] }
  const tagMoved = (ref: string): string =>
    `daemonset-tag-moved: cannot upgrade pod calico-node-1 of DaemonSet kube-system/calico-node: it already names ${ref}, and that tag now points to another image`

  it('is refused, of calico/node', () => {
    expect(found({}, { image: { ref: NODE, local: null, remote } })).toContain(tagMoved(NODE))
    expect(found({}, { image: { ref: `${NODE}-1`, local: null, remote } }).join()).not.toContain('tag-moved')
  })

  it('is refused, of the plugins', () => {
    const local = image('2', `calico/cni@${digest('c')}`)
    const same = cniFrom({ ref: CNI, local, remote: { digest: digest('c'), platforms: [] } })
    expect(found({}, { cni: cniFrom({ ref: CNI, local, remote }) })).toContain(tagMoved(CNI))
    expect(found({}, { cni: same }).join()).not.toContain('tag-moved')
  })
})

describe('a template that makes the kubelet pull at each start', () => {
  it('is a warning, which names the containers', () => {
    const pulling = [{ name: 'calico-node', image: NODE, imagePullPolicy: 'Always' }]
    const template = { spec: { containers: pulling } }
    const { pullsAlways } = observedDaemonSet({ ...set, spec: { ...set.spec, template } }, pod)
    expect(pullsAlways).toEqual(['calico-node'])
    expect(observedDaemonSet(set, pod).pullsAlways).toBeUndefined()
    expect(found({ pullsAlways: ['calico-node'] }).join()).toMatch(
      /daemonset-pulls-always: .*pull the image of calico-node at each start/,
    )
    expect(found({}).join()).not.toContain('pulls-always')
  })
})

describe('a template that has changed in more than images', () => {
  const mount = (mountPath: string) => ({ name: 'x', mountPath })
  const pod = {
    containers: [
      {
        ...{ name: 'calico-node', image: 'old', env: [{ name: 'A', value: '1' }, { name: 'B' }] },
        volumeMounts: [mount('/lib/modules'), mount('/var/run/secrets/kubernetes.io/serviceaccount')],
      },
    ],
  }
  const template = {
    initContainers: [{ name: 'flexvol', image: 'x' }],
    containers: [
      {
        ...{ name: 'calico-node', image: 'new', env: [{ name: 'A', value: '2' }, { name: 'B' }] },
        volumeMounts: [mount('/lib/modules'), mount('/run/xtables.lock')],
      },
    ],
  }

  it('is a warning, which names what a new pod brings along', () => {
    const differences = templateDifferences(template, pod)
    expect(differences).toEqual([
      'container flexvol',
      'variable A of calico-node',
      'mount /run/xtables.lock of calico-node',
    ])
    expect(templateDifferences(pod, pod)).toEqual([])
    expect(found({ differences }).join()).toMatch(
      /daemonset-differs: .*will have these changes: container flexvol/,
    )
    expect(found({}).join()).not.toContain('daemonset-differs')
  })
})

describe('images that an admission webhook has replaced', () => {
  const mirrored = `mirror.example/${NODE}`
  const admitted: PodObject = {
    metadata: { ...meta, name: 'calico-node-1', labels: { 'controller-revision-hash': 'h1' } },
    spec: { containers: [{ name: 'calico-node', image: mirrored, env: [{ name: 'CA' }] }] },
  }
  const seen = observedDaemonSet(set, admitted, set.spec.template)

  it('are a warning, and no change of the template', () => {
    expect(seen).not.toHaveProperty('differences')
    expect(seen.pod).toMatchObject({
      revision: 'h1',
      created: [{ image: NODE }],
      images: [{ image: mirrored }],
    })
    expect(found(seen).join()).toMatch(
      /daemonset-replaced: pod calico-node-1 of .* runs mirror\.example\/calico\/node:v3\.17\.6, and its template names calico\/node:/,
    )
  })

  it('are none where the mirror is asked for', () => {
    const image = { ref: `${mirrored}-1`, local: null, remote: { digest: digest('b'), platforms: [] } }
    expect(found(seen, { image }).join()).not.toContain('daemonset-replaced')
  })

  it('are not told from another template where nobody says which one the pod was made from', () => {
    expect(observedDaemonSet(set, admitted).pod).not.toHaveProperty('created')
    expect(observedDaemonSet(set, admitted).differences).toEqual(['variable CA of calico-node'])
  })
})
