import { describe, expect, it } from 'vitest'
import type { ObservedManifest } from '../../../agent/core/kubernetes/observed-manifest.ts'
import type { PodTemplate } from '../../../agent/core/kubernetes/pod.ts'
import type { Observed } from '../../../agent/core/model.ts'
import { upgradePlan } from '../../../agent/core/plan/build.ts'
import { settleByHand } from '../../../agent/core/plan/by-hand/by-hand.ts'
import { daemonSetBackPart } from '../../../agent/core/plan/daemon-set-back.ts'
import { manifestBackPart } from '../../../agent/core/plan/manifest.ts'
import type { PlannedStep } from '../../../agent/core/plan/plan.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { bindStep } from '../../../agent/steps/registry.ts'
import { CNI, configMapOf, daemonSet, hostedNode, images, NODE } from '../daemon-set.ts'
import { digest, observed, wanted } from '../observed.ts'

const NEXT = 'calico/node:v3.20.0'
const PATH = '/etc/calico-agent/calico.yaml'

const template = (image: string, env: string[] = []): PodTemplate => ({
  spec: {
    initContainers: [{ name: 'install-cni', image: CNI }],
    containers: [{ name: 'calico-node', image, env: env.map((name) => ({ name, value: '1' })) }],
  },
})
const [OLD, NEW] = [template(NODE, ['BEFORE']), template(NEXT, ['NOW'])]
const role = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'calico-node' },
}

const manifest = (changes: Partial<ObservedManifest> = {}): ObservedManifest => ({
  ...{ path: PATH, mark: 'whole', deployment: null, conflicts: [] },
  daemonSet: { mark: 'm1', from: OLD, was: OLD, to: NEW },
  objects: [{ object: role, before: { rules: ['get'] }, after: { rules: ['get', 'list'] } }],
  ...changes,
})

const seen = (found: Observed['manifest'], more: Partial<Observed> = {}): Observed =>
  observed({
    node: hostedNode(),
    image: { ref: NEXT, local: null, remote: { digest: digest('b'), platforms: [] } },
    ...(found && { manifest: found }),
    ...more,
  })

const planned = (found = manifest(), more: Partial<Observed> = {}) => {
  const leftovers = { containers: [], images: [], files: [] }
  const asked = { ...wanted, kubernetes: { cordon: true } }
  const cluster = {
    node: { name: 'host-1', unschedulable: false, cordonedBy: null, run: null },
    problem: null,
  }
  return upgradePlan({ run: 'R1', wanted: asked, observed: seen(found, { cluster, ...more }), leftovers })
}

const swapOf = (steps: PlannedStep[]) => {
  for (const step of steps) if (step.kind === 'swap-pod') return step.args
  throw new Error('no pod is swapped')
}

describe('a whole manifest', () => {
  it('applies its objects before the pod, with the Node cordoned', () => {
    const { plan, diff } = planned()
    expect(plan.steps.map(({ kind }) => kind)).toEqual([
      ...['pull-image', 'cordon', 'apply-objects', 'swap-pod', 'commit', 'uncordon', 'restore-strategy'],
    ])
    expect(plan.components).toMatchObject({ manifest: { from: PATH, to: 'hosted.manifest whole' } })
    expect(plan.steps[2] && bindStep(plan.steps[2]).summary).toBe(
      `apply 1 object of ${PATH}: clusterrole calico-node`,
    )
    expect(diff.map(({ target }) => target)).toEqual([
      'clusterrole calico-node',
      'daemonset kube-system/calico-node, template',
    ])
  })

  it('swaps the template as a whole, and tells pods apart by its mark', () => {
    const { images: swapped, templates } = swapOf(planned().plan.steps)
    expect(templates).toEqual({ from: OLD, was: OLD, to: NEW })
    expect(swapped).toContainEqual({
      list: 'annotations',
      name: 'calico-agent/manifest',
      from: '',
      was: '',
      to: 'm1',
    })
  })

  it('is gated by the health check of the template that comes, not of the one that goes', () => {
    const env = (port: string) => [
      { name: 'FELIX_HEALTHENABLED', value: 'true' },
      { name: 'FELIX_HEALTHPORT', value: port },
    ]
    const container = (image: string, port: string) => ({ name: 'calico-node', image, env: env(port) })
    const [from, to] = [container(NODE, '9099'), container(NEXT, '9199')].map(
      (one): PodTemplate => ({ spec: { containers: [one] } }),
    )
    const node = hostedNode()
    node.container.Config.Env = ['FELIX_HEALTHENABLED=true', 'FELIX_HEALTHPORT=9099']
    const templates = { mark: 'm1', from: from ?? OLD, was: from ?? OLD, to: to ?? NEW }
    const { gate } = swapOf(planned(manifest({ daemonSet: templates }), { node }).plan.steps)
    expect(gate.health).toEqual([{ kind: 'http', url: 'http://localhost:9199/readiness' }])
  })

  it('has nothing to do where the pod has its mark', () => {
    const pod = { ...daemonSet().pod, images: images(NEXT), manifest: 'm1' }
    const node = hostedNode({ pod, template: images(NEXT), manifest: 'm1' }, { image: null })
    node.container.Config.Image = NEXT
    const image = { ref: NEXT, local: null, remote: { digest: digest('b'), platforms: [] } }
    const steps = planned(manifest({ objects: [] }), { node, image }).plan.steps.map(({ kind }) => kind)
    expect(steps).not.toContain('apply-objects')
  })

  it('is put back by hand by the revision of before', () => {
    const lines = settleByHand(planned().plan, '/j') ?? ''
    expect(lines).toContain('kubectl -n kube-system rollout undo daemonset/calico-node')
    expect(lines).not.toContain('set image')
    expect(lines).toContain(
      `${PATH} changed clusterrole calico-node; to restore one: kubectl -n NAMESPACE edit`,
    )
  })

  it('is rolled back with its template; what it granted stays, and is said', () => {
    const { plan } = planned()
    const after = {
      pod: { ...daemonSet().pod, images: images(NEXT), manifest: 'm1' },
      template: images(NEXT),
      manifest: 'm1',
    }
    const input = {
      run: 'R2',
      wanted,
      engineHostname: 'host-1',
      node: hostedNode(after),
      daemonSet: daemonSet(after),
    }
    const back = swapOf(daemonSetBackPart(input, swapOf(plan.steps), []).move)
    expect(back.templates).toEqual({ from: NEW, was: NEW, to: OLD })
    const mark = { list: 'annotations', name: 'calico-agent/manifest' }
    expect(back.images).toContainEqual({ ...mark, from: 'm1', was: 'm1', to: '' })
    // another host has brought the template back before
    const begun = { ...daemonSet(after), template: images(), manifest: undefined } as never
    expect(
      swapOf(daemonSetBackPart({ ...input, daemonSet: begun }, swapOf(plan.steps), []).move).templates?.was,
    ).toEqual(OLD)
    expect(manifestBackPart(plan)?.problems).toMatchObject([{ code: 'manifest-kept' }])
    expect(manifestBackPart(planned(manifest({ objects: [] })).plan)).toBeNull()
  })
})

describe('what stands against it', () => {
  const objections = (found: Observed['manifest'], allow: string[] = [], more: Partial<Observed> = {}) =>
    preflight(seen(found, more), { ...wanted, allow }).filter(
      ({ code }) => code.startsWith('manifest') || code.startsWith('config'),
    )

  it('is said once for each object and each who has changed it', () => {
    const of = { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'kube-system', name: 'calico-node' }
    const conflicts = ['a', 'b'].map((field) => ({ manager: 'kubectl-edit', field, of }))
    expect(objections(manifest({ conflicts }))).toMatchObject([
      {
        code: 'manifest-conflict',
        severity: 'error',
        message: `cannot apply ${PATH}: it would overwrite fields of daemonset kube-system/calico-node that kubectl-edit has set: a, b`,
        fix: 'write it to the manifest as well: kubectl -n kube-system get daemonset calico-node -o yaml shows it; --allow manifest-conflict overrides',
      },
    ])
    expect(objections(manifest({ conflicts }), ['manifest-conflict'])).toMatchObject([
      { severity: 'warning' },
    ])
  })

  it('is what kept the agent from finding out', () => {
    const problem = { code: 'kubernetes-forbidden', severity: 'error' as const, message: 'm', fix: 'f' }
    const all = preflight(seen({ problem }), wanted)
    expect(all).toContainEqual(expect.objectContaining(problem))
  })

  it('is no key that the manifest itself has containers for', () => {
    const configMap = configMapOf({ new: '1' }, {}, { unknown: ['new'] })
    expect(objections(manifest(), [], { configMap })).toEqual([])
    expect(objections(undefined, [], { configMap })).toMatchObject([{ code: 'config-map-key' }])
  })
})
