import { AgentError } from '../core/errors.ts'
import type { Json } from '../core/json/merge-patch.ts'
import { isSameJson } from '../core/json/same.ts'
import { known } from '../core/known.ts'
import { APPLIERS, foreignFields } from '../core/kubernetes/field-owners.ts'
import {
  type AnyObject,
  asWritten,
  type ManifestWorkload,
  type ObjectChange,
  refOf,
  refText,
  type WantedManifest,
} from '../core/kubernetes/manifest.ts'
import { marksOf } from '../core/kubernetes/marks.ts'
import {
  type FoundManifest,
  type ObservedManifest,
  type WholeTemplates,
} from '../core/kubernetes/observed-manifest.ts'
import type { PodObject, PodTemplate } from '../core/kubernetes/pod.ts'
import { withoutMarks } from '../core/kubernetes/template.ts'
import type { ObservedNode } from '../core/model.ts'
import type { Wanted } from '../core/wanted.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'
import type { FoundDeployment } from './deployment.ts'

/** What `hosted.manifest` would change; undefined where none is asked for, or another rule says why nothing can. */
export async function observeManifest(
  { manifest: wanted }: Pick<Wanted, 'manifest'>,
  api: Kubernetes | null,
  lookAtNode: Promise<ObservedNode | null>,
  lookAtDeployment: Promise<FoundDeployment | null>,
): Promise<FoundManifest | undefined> {
  if (wanted === null || api === null) return undefined
  const node = await lookAtNode
  if (!node?.daemonSet) return refusal(wanted, 'no DaemonSet keeps calico/node on this host')
  const set = known(node.daemonSet)
  if (set === null) return undefined
  const { namespace, name } = wanted.daemonSet.object.metadata
  if (set.namespace !== namespace || set.name !== name)
    return refusal(
      wanted,
      `it has DaemonSet ${namespace ?? 'default'}/${name}, and this host's pod is of ${set.namespace}/${set.name}`,
    )
  try {
    return await changesOf(wanted, { namespace, pod: set.pod.name }, await lookAtDeployment, api)
  } catch (error) {
    if (error instanceof AgentError) return { problem: error.asProblem() }
    throw error
  }
}

async function changesOf(
  wanted: WantedManifest,
  pod: { namespace: string; pod: string },
  deployment: FoundDeployment | null,
  api: Kubernetes,
): Promise<ObservedManifest> {
  const { path, mark } = wanted
  const objects = objectsOf(wanted, deployment)
  const there = known(deployment)
  const [ofDaemonSet, ofDeployment, changes, conflicts] = await Promise.all([
    tryTemplate('DaemonSet', pod.namespace, wanted.daemonSet, api),
    there && wanted.deployment && tryTemplate('Deployment', there.namespace, wanted.deployment, api),
    Promise.all(objects.map((object) => objectChange(object, api))),
    Promise.all(objects.map((object) => conflictsOf(object, api))),
  ])
  const tried = [ofDaemonSet, ofDeployment].filter((one) => one !== null)
  return {
    ...{ path, mark },
    daemonSet: ofDaemonSet && (await daemonSetChange(ofDaemonSet, pod, api)),
    deployment: ofDeployment && deploymentChange(ofDeployment),
    objects: changes.filter((change) => change !== null),
    conflicts: [...tried.flatMap((one) => one.conflicts), ...conflicts.flat()],
  }
}

/** A Deployment that the cluster does not have yet is applied as any other object. */
function objectsOf(
  { objects, deployment: wanted }: WantedManifest,
  found: FoundDeployment | null,
): AnyObject[] {
  return wanted && found === null ? [...objects, wanted.object] : objects
}

type Conflict = ObservedManifest['conflicts'][number]

/** A template as it is, and as the manifest has it: the API server fills in what the manifest leaves out. */
interface TriedTemplate {
  name: string
  mark: string
  was: PodTemplate
  to: PodTemplate
  conflicts: Conflict[]
}

/** Null where there is no such workload. */
async function tryTemplate(
  kind: 'DaemonSet' | 'Deployment',
  namespace: string,
  { object, template, mark }: ManifestWorkload,
  api: Kubernetes,
): Promise<TriedTemplate | null> {
  const { name } = object.metadata
  const ref = { kind, namespace, name }
  const [set, tried] = await Promise.all([
    api.get(ref),
    api.tryPatch(ref, templateOnly(template), 'strategic'),
  ])
  const was = set?.spec.template
  const to = tried?.spec.template ?? template
  if (was === undefined) return null
  const foreign = foreignFields(set?.metadata.managedFields ?? [], was.spec, to.spec)
  return { name, mark, was, to, conflicts: foreign.map((one) => ({ ...one, of: refOf(object) })) }
}

/** Null where template and pod are as the manifest has them. */
async function daemonSetChange(
  { name, mark, was, to }: TriedTemplate,
  { namespace, pod }: { namespace: string; pod: string },
  api: Kubernetes,
): Promise<WholeTemplates | null> {
  const own = await api.get({ kind: 'Pod', namespace, name: pod })
  const from = (own && (await templateOfPod(own, name, api))) ?? was
  return isAsAsked(was, to) && isAsAsked(from, to) ? null : { mark, from, was, to }
}

/** Null where the rollout is done. */
function deploymentChange({ mark, was, to }: TriedTemplate): ObservedManifest['deployment'] {
  const { manifest = null } = marksOf(was)
  return manifest === mark || isAsAsked(was, to)
    ? null
    : { from: { mark: manifest, template: was }, to: { mark, template: to } }
}

/** It was applied by somebody else, and has no mark. */
function isAsAsked(was: PodTemplate, to: PodTemplate): boolean {
  return marksOf(was).manifest === undefined && isSameJson(withoutMarks(was), withoutMarks(to))
}

function templateOnly(template: PodTemplate): Json {
  return { spec: { template: { ...(template as unknown as { [field: string]: Json }), $patch: 'replace' } } }
}

/** The template that a pod was made from, as the DaemonSet's controller keeps it; null where it does not. */
async function templateOfPod(pod: PodObject, set: string, api: Kubernetes): Promise<PodTemplate | null> {
  const { namespace, labels = {} } = pod.metadata
  const hash = labels['controller-revision-hash']
  if (hash === undefined) return null
  const revision = await api.getObject({
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    namespace,
    name: `${set}-${hash}`,
  })
  const { template } =
    (revision?.['data'] as { spec?: { template?: PodTemplate & { $patch?: string } } } | undefined)?.spec ??
    {}
  if (template === undefined) return null
  return Object.fromEntries(
    Object.entries(template).filter(([field]) => field !== '$patch'),
  ) as unknown as PodTemplate
}

async function objectChange(object: AnyObject, api: Kubernetes): Promise<ObjectChange | null> {
  const [now, then] = await Promise.all([api.getObject(refOf(object)), api.applyObject(object, true)])
  const [before, after] = [now && asWritten(now), asWritten(then)]
  return isSameJson(before, after) ? null : { object, before, after }
}

async function conflictsOf(object: AnyObject, api: Kubernetes): Promise<Conflict[]> {
  const of = refOf(object)
  const all = await api.conflictsOf(object)
  return all.filter(({ manager }) => !APPLIERS.includes(manager)).map((conflict) => ({ ...conflict, of }))
}

function refusal({ path, daemonSet }: WantedManifest, why: string): FoundManifest {
  return {
    problem: {
      code: 'manifest',
      severity: 'error',
      message: `cannot apply ${path}: ${why}`,
      fix: `correct hosted.manifest: it must have the ${refText(refOf(daemonSet.object))} of this cluster`,
    },
  }
}
