import { describe, expect, it } from 'vitest'
import type { ObservedDeployment } from '../../../agent/core/kubernetes/deployment.ts'
import type { ObservedControllers, ObservedImage } from '../../../agent/core/model.ts'
import { prefetchPlan, upgradePlan } from '../../../agent/core/plan/build.ts'
import { settleByHand } from '../../../agent/core/plan/by-hand/by-hand.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { bindStep } from '../../../agent/steps/registry.ts'
import { container, digest, observed, wanted } from '../observed.ts'

const [OLD, NEW] = ['calico/kube-controllers:v3.20.0', 'calico/kube-controllers:v3.26.1']

const deployment: ObservedDeployment = {
  ...{ namespace: 'kube-system', name: 'controllers', container: 'calico-kube-controllers', image: OLD },
  ...{ strategy: 'RollingUpdate', replicas: 1, isPaused: false, isAvailable: true, trouble: null },
  pods: [{ name: 'controllers-1', node: 'host-2', digest: digest('a') }],
  ...{ keeper: null, hasPullSecrets: false, usesKubernetes: true, run: null },
}

const image: ObservedImage = { ref: NEW, local: null, remote: { digest: digest('b'), platforms: [] } }

/** Its pod on this host. */
const here: ObservedControllers = {
  ...{ container: container(), image: null, unit: null },
  owner: { kind: 'deployment', namespace: 'kube-system', name: 'controllers', why: '' },
}

const seenWith = (changes: Partial<ObservedDeployment>, more: Parameters<typeof observed>[0] = {}) =>
  observed({
    ...{ node: null, image: null, controllers: null, controllersImage: image },
    deployment: { ...deployment, ...changes },
    companions: { cni: null, controllers: (changes.image ?? OLD).split(':v')[1] ?? null },
    ...more,
  })

const planned = (changes: Partial<ObservedDeployment> = {}, more: Parameters<typeof observed>[0] = {}) =>
  upgradePlan({
    ...{ run: 'R1', wanted, observed: seenWith(changes, more) },
    leftovers: { containers: [], images: [], files: [] },
  })

const kinds = (...args: Parameters<typeof planned>): string[] =>
  planned(...args).plan.steps.map(({ kind }) => kind)

describe('a plan for a Deployment', () => {
  it('shows image and strategy', () => {
    const { diff, plan } = planned()
    expect(diff).toEqual([
      {
        target: 'deployment kube-system/controllers',
        before: `strategy: RollingUpdate\ncontainers.calico-kube-controllers: ${OLD}\n`,
        after: `strategy: Recreate\ncontainers.calico-kube-controllers: ${NEW}\n`,
      },
    ])
    expect(plan.steps.map((step) => bindStep(step).summary)[0]).toContain('from RollingUpdate to Recreate')
  })

  it('pulls the image where the pod runs, unless that takes a Secret', () => {
    expect(kinds()).toEqual(['swap-deployment', 'commit'])
    expect(kinds({}, { controllers: here })).toEqual(['pull-image', 'swap-deployment', 'commit'])
    expect(kinds({ hasPullSecrets: true }, { controllers: here })).toEqual(['swap-deployment', 'commit'])
  })

  it('has no steps where image and strategy are as asked', () => {
    expect(kinds({ image: NEW, strategy: 'Recreate' })).toEqual([])
  })

  it('is prefetched where the pod runs alone', () => {
    const steps = (controllers: ObservedControllers | null) =>
      prefetchPlan({ run: 'R1', wanted, observed: seenWith({}, { controllers }) }).steps.length
    expect([steps(null), steps(here)]).toEqual([0, 1])
  })

  it('is told how to be settled by hand', () => {
    const text = settleByHand(planned().plan, 'R1.jsonl')
    const set = 'kubectl -n kube-system set image deployment/controllers calico-kube-controllers='
    expect(text).toContain(`${set}${OLD}`)
    expect(text).toContain(`${set}${NEW}`)
    expect(text).toContain('to have RollingUpdate again')
  })
})

describe('rules for a Deployment', () => {
  const codes = (changes: Partial<ObservedDeployment>, onlyIfInstalled = false, controllersImage = image) => {
    const controllers = { ...wanted.controllers, image: NEW, onlyIfInstalled }
    return preflight(seenWith(changes, { controllersImage }), { ...wanted, controllers }).map(
      ({ code, severity }) => `${severity} ${code}`,
    )
  }

  it('leave it alone where only a release asks for it', () => {
    expect(codes({ isPaused: true })).toEqual(['error controllers-deployment'])
    expect(codes({ isPaused: true }, true)).toEqual(['warning controllers-deployment'])
  })

  it('refuse a tag that means another image now: the template would not change', () => {
    expect(codes({ image: NEW, strategy: 'Recreate' })).toEqual(['error deployment-tag-moved'])
    const pods = [{ name: 'controllers-1', node: 'host-2', digest: digest('b') }]
    expect(codes({ image: NEW, strategy: 'Recreate', pods })).toEqual([])
  })

  it('judge its versions', () => {
    expect(codes({ image: 'calico/kube-controllers:v3.28.0' })).toEqual(['error downgrade'])
  })

  it('hold nothing against a registry that only the kubelet reaches', () => {
    const error = { code: 'registry-unreachable', severity: 'error', message: 'away', fix: '' } as const
    expect(codes({}, false, { ...image, remote: { error } })).toEqual(['warning registry-unreachable'])
  })
})
