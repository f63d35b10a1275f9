import { AgentError } from '../core/errors.ts'
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
import type { PodTemplate } from '../core/kubernetes/pod.ts'
import { isSameTemplate, replacing } from '../core/kubernetes/template.ts'
import type { Observed, ObservedNode } from '../core/model.ts'
import type { Wanted } from '../core/wanted.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'
import { templateOfPod } from './pod-template.ts'

interface Looks {
  node: Promise<ObservedNode | null>
  controllers: Promise<Pick<Observed, 'controllers' | 'deployment'>>
  configMap: Promise<Observed['configMap'] | undefined>
}

type Found = Pick<Observed, 'controllers' | 'deployment'> & { configMap: Observed['configMap'] | undefined }

/** What `hosted.manifest` would change; undefined where none is asked for, or another rule says why nothing can. */
export async function observeManifest(
  { manifest: wanted }: Pick<Wanted, 'manifest'>,
  api: Kubernetes | null,
  { node: lookAtNode, ...looks }: Looks,
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
    const [controllers, configMap] = await Promise.all([looks.controllers, looks.configMap])
    const found = { ...controllers, configMap }
    return await changesOf(wanted, { namespace, pod: set.pod.name }, found, api)
  } catch (error) {
    if (error instanceof AgentError) return { problem: error.asProblem() }
    throw error
  }
}

async function changesOf(
  wanted: WantedManifest,
  pod: { namespace: string; pod: string },
  found: Found,
  api: Kubernetes,
): Promise<ObservedManifest> {
  const { path, mark } = wanted
  const objects = await objectsOf(wanted, found, api)
  const there = known(found.deployment)
  const [ofDaemonSet, ofDeployment, triedObjects] = await Promise.all([
    tryTemplate('DaemonSet', pod.namespace, wanted.daemonSet, api),
    there && wanted.deployment && tryTemplate('Deployment', there.namespace, wanted.deployment, api),
    Promise.all(objects.map((object) => tryObject(object, api))),
  ])
  const tried = [ofDaemonSet, ofDeployment, ...triedObjects].filter((one) => one !== null)
  return {
    ...{ path, mark },
    daemonSet: ofDaemonSet && (await daemonSetChange(ofDaemonSet, pod, api)),
    deployment: ofDeployment && deploymentChange(ofDeployment),
    objects: triedObjects.flatMap(({ change }) => change ?? []),
    conflicts: tried.flatMap(({ conflicts }) => conflicts),
  }
}

/** A ConfigMap that the pods do not read yet, and controllers that nobody runs yet, are applied as any other object. */
async function objectsOf(
  { objects, configMap, deployment: wanted }: WantedManifest,
  { controllers, deployment, configMap: read }: Found,
  api: Kubernetes,
): Promise<AnyObject[]> {
  const isNew =
    wanted && !deployment && controllers === null && (await api.getObject(refOf(wanted.object))) === null
  return [...objects, ...(configMap && !read ? [configMap] : []), ...(isNew ? [wanted.object] : [])]
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
    api.tryPatch(ref, { spec: { template: replacing(template) } }, 'strategic'),
  ])
  const was = set?.spec.template
  if (was === undefined) return null
  if (tried === null) throw tooOld()
  const to = tried.spec.template
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
  return isSameTemplate(was, to) && isSameTemplate(from, to) ? null : { mark, from, was, to }
}

/** Null where the rollout is done. */
function deploymentChange({ mark, was, to }: TriedTemplate): ObservedManifest['deployment'] {
  const { manifest = null } = marksOf(was)
  return isSameTemplate(was, to)
    ? null
    : { from: { mark: manifest, template: was }, to: { mark, template: to } }
}

/** Its change is null where it is as the manifest has it. */
async function tryObject(
  object: AnyObject,
  api: Kubernetes,
): Promise<{ change: ObjectChange | null; conflicts: Conflict[] }> {
  const of = refOf(object)
  const [now, { object: then, conflicts }] = await Promise.all([api.getObject(of), api.tryObject(object)])
  const [before, after] = [now && asWritten(now), asWritten(then)]
  const foreign = conflicts.filter(({ manager }) => !APPLIERS.includes(manager))
  return {
    change: isSameJson(before, after) ? null : { object, before, after },
    conflicts: foreign.map((conflict) => ({ ...conflict, of })),
  }
}

function tooOld(): AgentError {
  return new AgentError('manifest', 'cannot apply a manifest: the API server knows no server-side apply', {
    fix: 'it takes Kubernetes 1.16: name the images in the config instead of hosted.manifest',
  })
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
