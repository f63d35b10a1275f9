import { imageVersion } from '../docker/health.ts'
import { tagOf } from '../docker/image-ref.ts'
import { pullSteps, runsAlready } from '../docker/image-state.ts'
import type { Problem } from '../errors.ts'
import type { ObservedControllers, ObservedImage } from '../model.ts'
import { withImage } from '../pod/manifest.ts'
import { redactedManifestDiff } from '../pod/manifest-diff.ts'
import { containerIn, type ObservedPod } from '../pod/static-pod.ts'
import { askedVersion } from '../release/node-versions.ts'
import type { BackPart } from './back.ts'
import { wayBackOf } from './cni-config.ts'
import { imageAsked, imageDiff, oldContainer } from './container-swap.ts'
import { type ControllersInput, statusCheck } from './controllers.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { PlannedStep, StepArgs } from './plan.ts'

export interface StaticPodInput extends Omit<ControllersInput, 'engineHostname'> {
  pod: ObservedPod
}

/** Has the kubelet run controllers of `image` instead of those that its manifest names. */
export function staticPodPart(input: StaticPodInput, image: ObservedImage): PlanPart {
  const { controllers, pod } = input
  const change = { from: containerIn(pod).image, to: image.ref }
  // the tag has moved: the manifest would not change, and the kubelet would not notice
  if (runsAlready(controllers, image) || change.from === change.to) return unchanged('controllers', change)
  const version = askedVersion(image)
  const after = withImage(pod.manifest.text, tokenIn(pod), image.ref)
  const part = partOf(input, { after, ...change, version })
  const old = { ...oldContainer(controllers, ''), name: pod.container }
  return {
    ...part,
    prepare: pullSteps('controllers', image),
    diff: [...part.diff, ...imageDiff(old, controllers, imageAsked(image))],
  }
}

type Swapped = StepArgs['swap-static-pod']

/** Has the kubelet use the manifest from before an earlier run again, byte for byte. */
export function staticPodBackPart(
  input: Omit<StaticPodInput, 'controllers' | 'pod'> & { controllers: ObservedControllers | null },
  { manifest, from, to }: Swapped,
  imageIsLocal: boolean,
): BackPart {
  const { controllers } = input
  const pod = controllers?.pod
  if (!controllers || pod?.manifest.path !== manifest.path) return leftAsIs(manifest.path, 'no longer exists')
  if (pod.manifest.text === manifest.before) return { part: null, problems: [] }
  if (pod.manifest.text !== manifest.after)
    return leftAsIs(manifest.path, 'was changed by another process since the run')
  const version = imageVersion(tagOf(from), null)
  const part = partOf({ ...input, controllers, pod }, { after: manifest.before, from: to, to: from, version })
  const pull: PlannedStep = { kind: 'pull-image', component: 'controllers', args: { image: from } }
  return { part: { ...part, prepare: imageIsLocal ? [] : [pull] }, problems: [] }
}

function leftAsIs(path: string, why: string): BackPart {
  const problem: Problem = {
    code: 'manifest-changed',
    severity: 'warning',
    message: `the controllers stay as they are: ${path} ${why}`,
    fix: `look at ${path}`,
  }
  return { part: null, problems: [problem] }
}

function partOf(
  { run, wanted: { settleMs }, pod: observed }: StaticPodInput,
  { after, from, to, version }: { after: string; from: string; to: string; version: string | null },
): PlanPart {
  const { manifest, pod, namespace, container, kubelet } = observed
  const { path, text: before, pod: said } = manifest
  const wayBack = wayBackOf(path, run)
  const args: Swapped = {
    manifest: { path, before, after, wayBack },
    pod: { pod, namespace, container },
    ...{ from, to, settleMs },
    kubelet: kubelet.state === 'running' ? kubelet.unit : null,
    check: statusCheck(version),
    stopMs: ('graceS' in said ? said.graceS : 0) * 1000,
  }
  return {
    component: 'controllers',
    change: { from, to },
    prepare: [],
    move: [{ kind: 'swap-static-pod', component: 'controllers', args }],
    commits: [],
    kept: [wayBack],
    commitsAlone: true,
    diff:
      'values' in said
        ? [redactedManifestDiff({ target: path, before, after }, said, tokenIn(observed))]
        : [],
  }
}

function tokenIn(pod: ObservedPod) {
  const { token } = containerIn(pod)
  if ('start' in token) return token
  throw new Error('internal error: the preflight passed a manifest that cannot be changed')
}
