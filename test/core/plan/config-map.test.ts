import { describe, expect, it } from 'vitest'
import type { ConfigKeys, ObservedConfigMap } from '../../../agent/core/kubernetes/config-map.ts'
import type { Observed } from '../../../agent/core/model.ts'
import { upgradePlan } from '../../../agent/core/plan/build.ts'
import { settleByHand } from '../../../agent/core/plan/by-hand/by-hand.ts'
import { configMapDiff } from '../../../agent/core/plan/config-map.ts'
import { daemonSetBackPart } from '../../../agent/core/plan/daemon-set-back.ts'
import type { PlannedStep } from '../../../agent/core/plan/plan.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import type { Wanted } from '../../../agent/core/wanted.ts'
import { bindStep } from '../../../agent/steps/registry.ts'
import { configMapOf, daemonSet, hostedNode, images } from '../daemon-set.ts'
import { newImage, observed, wanted } from '../observed.ts'

const asked: Wanted = {
  ...wanted,
  node: { ...wanted.node, image: null },
  configMap: { keys: { veth_mtu: '1410' }, mark: 'm1' },
}
const [OLD, NEW] = [{ veth_mtu: '1440' }, { veth_mtu: '1410' }]

const seen = (configMap: Observed['configMap'], node = hostedNode()): Observed =>
  observed({ node, image: null, ...(configMap && { configMap }) })

function planned(configMap: ObservedConfigMap, node = hostedNode()) {
  const leftovers = { containers: [], images: [], files: [] }
  const { plan, diff } = upgradePlan({ run: 'R1', wanted: asked, observed: seen(configMap, node), leftovers })
  return { ...plan, diff, kinds: plan.steps.map(({ kind }) => kind) }
}

const swapOf = (steps: PlannedStep[]) => {
  for (const step of steps) if (step.kind === 'swap-pod') return step.args
  throw new Error('no pod is swapped')
}

describe('a config that is asked for alone', () => {
  it('replaces this host’s pod with the images as they are', () => {
    const { components, steps, kinds, diff } = planned(configMapOf(NEW, OLD))
    expect(kinds).toEqual(['swap-pod', 'commit', 'restore-strategy'])
    expect(components).toEqual({
      configMap: { from: 'kube-system/calico-config', to: 'hosted.configMap m1' },
    })
    const { images, configMap, from, to } = swapOf(steps)
    expect(from).toBe(to)
    expect(steps[0] && bindStep(steps[0]).summary).toContain(
      `set veth_mtu in ConfigMap kube-system/calico-config, set the template to ${to} with OnDelete`,
    )
    expect(images.filter((one) => one.from !== one.to)).toEqual([
      { list: 'annotations', name: 'calico-agent/config', from: '', was: '', to: 'm1' },
    ])
    expect(configMap).toEqual({
      namespace: 'kube-system',
      name: 'calico-config',
      before: OLD,
      now: OLD,
      after: NEW,
      mark: 'm1',
    })
    expect(diff).toEqual([
      {
        target: 'configmap kube-system/calico-config',
        before: 'data.veth_mtu: 1440\n',
        after: 'data.veth_mtu: 1410\n',
      },
      expect.objectContaining({ target: 'daemonset kube-system/calico-node' }),
    ])
  })

  it('is put back by hand by its keys and its pod', () => {
    const { steps, ...plan } = planned(configMapOf(NEW, OLD))
    const lines = settleByHand({ ...plan, steps }, '/j') ?? ''
    expect(lines).toContain(
      'edit configmap calico-config: restore veth_mtu; the journal has the old values\n',
    )
    expect(lines).not.toContain('set image')
    expect(lines).toContain('delete pod POD')
  })

  it('changes nothing where the pod was started with it', () => {
    const pod = { ...daemonSet().pod, config: 'm1' }
    expect(planned(configMapOf(NEW, NEW), hostedNode({ pod, config: 'm1' })).kinds).toEqual([])
    const newer = { ...daemonSet().pod, createdAt: '2026-11-28T00:00:00Z' }
    expect(planned(configMapOf(NEW, NEW), hostedNode({ pod: newer })).kinds).toEqual([])
  })

  it('replaces a pod that is older than the change, on the next host', () => {
    const { steps } = planned(configMapOf(NEW, NEW, { before: OLD }), hostedNode({ config: 'm1' }))
    const { images, configMap } = swapOf(steps)
    expect(images.at(-1)).toMatchObject({ from: '', was: 'm1', to: 'm1' })
    expect(configMap).toMatchObject({ before: OLD, now: NEW, after: NEW })
  })

  it('goes back to the keys and the pod of before', () => {
    const swap = swapOf(planned(configMapOf(NEW, OLD)).steps)
    const set = daemonSet({ config: 'm1', pod: { ...daemonSet().pod, config: 'm1' } })
    const input = { run: 'R2', wanted: asked, engineHostname: 'host-1', node: hostedNode(), daemonSet: set }
    const back = daemonSetBackPart(input, swap, [])
    expect(back).toMatchObject({ component: 'configMap', change: { from: 'hosted.configMap m1' } })
    const { images, configMap } = swapOf(back.move)
    expect(images.at(-1)).toMatchObject({ from: 'm1', to: '' })
    expect(configMap).toMatchObject({ before: NEW, after: OLD, mark: null })
  })
})

describe('a config that the pod has already', () => {
  it('is left alone by an upgrade to another image: its way back would take the keys of an earlier run away', () => {
    const pod = { ...daemonSet().pod, config: 'm1' }
    const found = seen(configMapOf(NEW, NEW, { before: OLD }), hostedNode({ pod, config: 'm1' }))
    const image = { ...newImage, ref: 'calico/node:v3.20.0' }
    const leftovers = { containers: [], images: [], files: [] }
    const { plan } = upgradePlan({ run: 'R1', wanted: asked, observed: { ...found, image }, leftovers })
    const { images, configMap } = swapOf(plan.steps)
    expect(images.map(({ list }) => list)).not.toContain('annotations')
    expect(configMap).toBeUndefined()
  })
})

describe('the diff of a ConfigMap', () => {
  const diffOf = (now: ConfigKeys, after: ConfigKeys) => configMapDiff(configMapOf(after, now))

  it('shows what changes, and no secret', () => {
    expect(
      diffOf({ etcd_password: 'hunter2', a: 'x', b: 'y' }, { etcd_password: 'hunter3', a: 'x', b: null }),
    ).toEqual([
      {
        target: 'configmap kube-system/calico-config',
        before: 'data.etcd_password: <redacted>\ndata.b: y\n',
        after: 'data.etcd_password: <redacted>\n',
      },
    ])
    const [secret] = diffOf({ etcd_password: 'hunter2' }, { etcd_password: 'hunter3' })
    expect(secret?.before).not.toBe(secret?.after)
    expect(JSON.stringify(secret)).not.toContain('hunter')
  })

  it('is none where nothing changes', () => {
    expect(diffOf(NEW, NEW)).toEqual([])
  })
})

describe('the rules', () => {
  const codes = (configMap: Observed['configMap'], node = hostedNode()) =>
    preflight(seen(configMap, node), asked)
      .filter(({ severity }) => severity === 'error')
      .map(({ code }) => code)

  it('let a known key pass, and name what is wrong with another one', () => {
    expect(codes(configMapOf(NEW, OLD))).toEqual([])
    expect(codes(configMapOf({ vet: 'x' }, { vet: null }, { unknown: ['vet'] }))).toEqual(['config-map-key'])
    const backend = configMapOf({ calico_backend: 'vxlan' }, { calico_backend: 'bird' })
    expect(codes(backend)).toEqual(['config-map-backend'])
    expect(codes(configMapOf({ calico_backend: 'bird' }, { calico_backend: 'bird' }))).toEqual([])
  })

  it('refuse a config alone where others have brought the template to another calico/node', () => {
    const node = hostedNode({ template: images('calico/node:v3.20.0') })
    expect(codes(configMapOf(NEW, OLD), node)).toEqual(['config-map'])
    const pod = { ...daemonSet().pod, config: 'm1' }
    const done = hostedNode({ template: images('calico/node:v3.20.0'), pod, config: 'm1' })
    expect(codes(configMapOf(NEW, NEW), done)).toEqual([])
    expect(planned(configMapOf(NEW, NEW), done).kinds).toEqual([])
  })

  it('tell why the ConfigMap cannot be changed', () => {
    const problem = {
      code: 'kubernetes-forbidden',
      severity: 'error' as const,
      message: 'no',
      fix: 'grant it',
    }
    expect(codes({ problem })).toEqual(['kubernetes-forbidden'])
  })
})
