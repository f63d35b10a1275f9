import { describe, expect, it } from 'vitest'
import type { ObservedImage } from '../../../agent/core/model.ts'
import { upgradePlan } from '../../../agent/core/plan/build.ts'
import { settleByHand } from '../../../agent/core/plan/by-hand/by-hand.ts'
import type { StepArgs } from '../../../agent/core/plan/plan.ts'
import { staticPodBackPart } from '../../../agent/core/plan/static-pod.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { bindStep } from '../../../agent/steps/registry.ts'
import { digest, observed, wanted } from '../observed.ts'
import { MANIFEST, manifestFile, manifestText, OLD, staticControllers } from '../pod/static-pods.ts'

const RUN = '20261122T141503Z-7f3a'
const NEW = 'calico/kube-controllers:v3.26.1'
const WAY_BACK = `/etc/kubernetes/manifests/.controllers.yaml.calico-agent-${RUN}.old`

async function planned(letter = 'b') {
  const controllers = await staticControllers()
  const remote = { digest: digest(letter), platforms: [] }
  const controllersImage: ObservedImage = { ref: NEW, local: null, remote }
  const seen = observed({ node: null, image: null, controllers, controllersImage })
  return upgradePlan({
    run: RUN,
    wanted,
    observed: seen,
    leftovers: { containers: [], images: [], files: [] },
  })
}

async function swap(): Promise<StepArgs['swap-static-pod']> {
  const found = (await planned()).plan.steps.find(({ kind }) => kind === 'swap-static-pod')
  if (found?.kind === 'swap-static-pod') return found.args
  throw new Error('there is no swap')
}

describe('a plan for a static pod', () => {
  it('pulls, swaps by the manifest, commits, and cleans up', async () => {
    const { plan, diff } = await planned()
    expect(plan.steps.map((step) => bindStep(step).summary)).toEqual([
      `pull ${NEW}`,
      expect.stringContaining(
        `by ${MANIFEST}: remove the manifest and wait until the kubelet has stopped the old one`,
      ),
      'commit: keep what was installed',
      'clean up: 1 file kept for a rollback',
    ])
    expect(diff.slice(0, 1)).toEqual([{ target: MANIFEST, before: manifestText(), after: manifestText(NEW) }])
    expect(plan.components.controllers).toEqual({ from: OLD, to: NEW })
    expect(await swap()).toMatchObject({
      manifest: { wayBack: WAY_BACK },
      pod: { pod: 'controllers-host-1', namespace: 'default', container: 'calico-kube-controllers' },
      kubelet: 'kubelet.service',
      check: ['/usr/bin/check-status', '-r'],
      stopMs: 30_000,
    })
  })

  it('has no steps where the image runs already', async () => {
    expect((await planned('a')).plan.steps).toEqual([])
  })

  it('has no steps where the tag of the manifest has moved: it would not change', async () => {
    const controllers = await staticControllers()
    const remote = { digest: digest('b'), platforms: [] }
    const seen = observed({ controllers, controllersImage: { ref: OLD, local: null, remote } })
    const asked = { ...wanted, controllers: { ...wanted.controllers, image: OLD } }
    const leftovers = { containers: [], images: [], files: [] }
    const both = { ...seen, node: null, image: null }
    expect(upgradePlan({ run: RUN, wanted: asked, observed: both, leftovers }).plan.steps).toEqual([])
    expect(preflight(both, asked)).toMatchObject([
      { code: 'static-pod-manifest', severity: 'error', fix: 'name the new image by its digest' },
    ])
  })

  it('says how a stuck run is settled by hand', async () => {
    const text = settleByHand((await planned()).plan, '/j') ?? ''
    expect(text).toContain(`  mv ${WAY_BACK} ${MANIFEST}`)
    expect(text).toContain('docker ps --filter label=io.kubernetes.pod.name=controllers-host-1')
    expect(text).toContain(`select(.kind=="swap-static-pod").args.manifest.before' > ${MANIFEST}`)
  })
})

describe('the way back of a static pod', () => {
  const back = async (text: string | null, imageIsLocal = true) => {
    const controllers = text === null ? null : await staticControllers({ manifest: await manifestFile(text) })
    return staticPodBackPart({ run: 'next', wanted, controllers }, await swap(), imageIsLocal)
  }

  it('is the manifest as it was', async () => {
    const { part, problems } = await back(manifestText(NEW))
    expect(problems).toEqual([])
    expect(part).toMatchObject({
      change: { from: NEW, to: OLD },
      prepare: [],
      move: [
        { args: { manifest: { before: manifestText(NEW), after: manifestText() }, from: NEW, to: OLD } },
      ],
    })
  })

  it('pulls what this host no longer has', async () => {
    expect((await back(manifestText(NEW), false)).part?.prepare).toMatchObject([
      { kind: 'pull-image', args: { image: OLD } },
    ])
  })

  it('is gone already', async () => {
    expect(await back(manifestText())).toEqual({ part: null, problems: [] })
  })

  it.each([
    ['was changed by another process', manifestText('x:1')],
    ['is gone', null],
  ])('is left where the manifest %s', async (_, text) => {
    expect(await back(text)).toMatchObject({
      part: null,
      problems: [{ code: 'manifest-changed', severity: 'warning' }],
    })
  })
})
