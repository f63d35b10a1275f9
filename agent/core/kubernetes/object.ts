/** Of an object of a namespace (metav1.ObjectMeta). */
export interface ObjectMeta {
  name: string
  namespace: string
  uid: string
  resourceVersion: string
  creationTimestamp?: string
  annotations?: Record<string, string>
  /** Absent before Kubernetes 1.18. */
  managedFields?: (FieldOwner & { time?: string })[]
}

/** Who set which fields of an object (metav1.ManagedFieldsEntry). */
export interface FieldOwner {
  manager?: string
  fieldsV1?: ManagedFields
}

/** `f:NAME` is a field, `k:{...}` an item of a list by its keys, `.` the thing itself. */
export interface ManagedFields {
  [key: string]: ManagedFields
}

export interface OwnerReference {
  kind: string
  name: string
  controller?: boolean
}

/** Of what calico.yaml installs. */
export const MANIFEST_NAMESPACE = 'kube-system'

/** An object of a namespace. */
export interface Namespaced {
  namespace: string
  name: string
}

/** The JSON that an agent keeps in an annotation; null where there is none, or somebody has written another text. */
export function annotationOf(
  { annotations = {} }: { annotations?: Record<string, string> },
  name: string,
): unknown {
  const text = annotations[name]
  if (text === undefined) return null
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The object that keeps another one as it is; undefined where none does. */
export function controllerOf({ ownerReferences = [] }: { ownerReferences?: OwnerReference[] }) {
  return ownerReferences.find(({ controller }) => controller === true)
}

/** As the API server takes a label selector. */
export function selectorOf({
  spec,
}: {
  spec: { selector?: { matchLabels?: Record<string, string> } }
}): string {
  const labels = Object.entries(spec.selector?.matchLabels ?? {})
  return labels.map(([key, value]) => `${key}=${value}`).join(',')
}
