import type { Json } from '../json/merge-patch.ts'
import { calicoMap, configReadsOf } from './config-map.ts'
import { isFlexvol } from './flexvol.ts'
import type { PodTemplate } from './pod.ts'
import { imageName, imagesOf, type TemplateImage } from './template.ts'

/** An object of any kind, as a manifest or the API server has it. */
export interface AnyObject {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; [field: string]: unknown }
  [field: string]: unknown
}

/** A DaemonSet or a Deployment of a manifest: the agent takes its template. */
export interface ManifestWorkload {
  object: AnyObject
  template: PodTemplate
  /** The image of its main container. */
  image: string
  /** Of the template: each pod that was made from it has it as an annotation. */
  mark: string
}

/** What `hosted.manifest` asks for. */
export interface WantedManifest {
  path: string
  /** Of all that it says. */
  mark: string
  daemonSet: ManifestWorkload
  /** Of the plugins that its pods install; null where they install none. */
  cniImage: string | null
  /** Of the FlexVolume driver; null where its pods install none. */
  flexvolImage: string | null
  /** Of kube-controllers; null where it has none. */
  deployment: ManifestWorkload | null
  /** The ConfigMap that the pods read; null where it has none. */
  configMap: AnyObject | null
  /** All other objects, in the order in which they are applied. */
  objects: AnyObject[]
}

const CONTROLLERS = ['kube-controllers', 'kube-policy-controller']

/**
 * Sorts the objects of a manifest by what becomes of them; `hash` makes a short text of a value.
 * @throws Error with what it lacks or has twice
 */
export function wantedManifest(path: string, objects: AnyObject[], hash: Hash): WantedManifest {
  const pick = picker(objects, hash)
  const node = pick('DaemonSet', 'calico/node', isNode)
  if (node === null) throw new Error('it has no DaemonSet of calico/node')
  const controllers = pick('Deployment', 'kube-controllers', (image) =>
    CONTROLLERS.includes(imageName(image.image)),
  )
  const configMap = configMapOf(objects, node)
  const images = imagesOf(node.template.spec)
  const placed = [node.object, controllers?.object, configMap]
  return {
    path,
    mark: hash(objects),
    daemonSet: node,
    cniImage: images.find(({ image }) => imageName(image) === 'cni')?.image ?? null,
    flexvolImage: images.find(isFlexvol)?.image ?? null,
    deployment: controllers,
    configMap,
    objects: objects.filter((object) => !placed.includes(object)).toSorted((a, b) => rank(a) - rank(b)),
  }
}

type Hash = (value: unknown) => string

/** What others refer to comes first. */
function rank({ kind }: AnyObject): number {
  const at = ['Namespace', 'CustomResourceDefinition', 'ServiceAccount', 'ClusterRole', 'Role'].indexOf(kind)
  return at < 0 ? Infinity : at
}

function isNode({ list, name, image }: TemplateImage): boolean {
  return list === 'containers' && (name === 'calico-node' || imageName(image) === 'node')
}

/** The one object of a kind that has such a container; null where there is none. */
function picker(objects: AnyObject[], hash: Hash) {
  return (kind: string, what: string, isIt: (image: TemplateImage) => boolean): ManifestWorkload | null => {
    const found = objects.flatMap((object) => {
      const template = object.kind === kind ? templateOf(object) : null
      const image = template && imagesOf(template.spec).find(isIt)
      return template && image ? [{ object, template, image: image.image, mark: hash(template) }] : []
    })
    if (found.length > 1) throw new Error(`it has ${found.length} objects of kind ${kind} with ${what}`)
    return found[0] ?? null
  }
}

/** Null where it has none that could be one. */
function templateOf({ spec }: AnyObject): PodTemplate | null {
  const template = (spec as { template?: Partial<PodTemplate> } | undefined)?.template
  const { containers, initContainers = [] } = template?.spec ?? {}
  return Array.isArray(containers) && Array.isArray(initContainers) ? (template as PodTemplate) : null
}

function configMapOf(objects: AnyObject[], { object, template }: ManifestWorkload): AnyObject | null {
  const name = calicoMap(configReadsOf(template.spec))
  const isIt = ({ kind, metadata }: AnyObject): boolean =>
    kind === 'ConfigMap' && metadata.name === name && metadata.namespace === object.metadata.namespace
  return objects.find(isIt) ?? null
}

/** Names an object of any kind. */
export interface AnyRef {
  apiVersion: string
  kind: string
  name: string
  namespace?: string
}

export function refOf({ apiVersion, kind, metadata: { name, namespace } }: AnyObject): AnyRef {
  return { apiVersion, kind, name, ...(namespace !== undefined && { namespace }) }
}

/** For messages: `clusterrole calico-node`, `configmap kube-system/x`. */
export function refText({ kind, namespace, name }: Omit<AnyRef, 'apiVersion'>): string {
  return `${kind.toLowerCase()} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

/** As a command: `kubectl -n kube-system get configmap x -o yaml`. */
export function kubectlGet({ kind, namespace, name }: Omit<AnyRef, 'apiVersion'>): string {
  const of = namespace === undefined ? '' : `-n ${namespace} `
  return `kubectl ${of}get ${kind.toLowerCase()} ${name} -o yaml`
}

/** Written by the API server, or by whoever looks after the object. */
const OF_SERVER = ['managedFields', 'resourceVersion', 'uid', 'generation', 'creationTimestamp', 'selfLink']

/** The object without the fields that the API server and its controllers add, so that two can be compared. */
export function asWritten({ metadata, ...fields }: AnyObject): Written {
  const rest = Object.fromEntries(Object.entries(fields).filter(([field]) => field !== 'status'))
  const own = Object.entries(metadata).filter(([field]) => !OF_SERVER.includes(field))
  const annotations = ownAnnotations(metadata['annotations'])
  const written = { ...Object.fromEntries(own), ...annotations }
  return { ...(rest as { [field: string]: Json }), metadata: written as Json }
}

/** The controller of Deployments counts in one. */
function ownAnnotations(annotations: unknown): { annotations?: unknown } {
  if (typeof annotations !== 'object' || annotations === null) return {}
  const own = Object.entries(annotations).filter(([name]) => name !== 'deployment.kubernetes.io/revision')
  return { annotations: Object.fromEntries(own) }
}

/** An object as whoever wrote it has it: without what the API server adds. */
export type Written = { [field: string]: Json }

/** An object of a manifest that is not as the manifest has it. */
export interface ObjectChange {
  object: AnyObject
  /** Null where there is none. */
  before: Written | null
  /** As the API server says that it will be. */
  after: Written
}
