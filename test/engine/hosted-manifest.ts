import { type WantedManifest, wantedManifest } from '../../agent/core/kubernetes/manifest.ts'
import { MANIFEST_ANNOTATION } from '../../agent/core/kubernetes/marks.ts'
import type { PodTemplate } from '../../agent/core/kubernetes/pod.ts'
import type { FakeCluster } from '../fakes/cluster.ts'

const NAMESPACE = 'kube-system'
const ONLY_NEW = 'FELIX_ONLYNEW'

const role = (verbs: string[]) => ({
  ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'calico-node' } },
  rules: [{ apiGroups: [''], resources: ['nodes'], verbs }],
})
const [OLD_ROLE, NEW_ROLE] = [role(['get']), role(['get', 'list'])]
const NEW_ACCOUNT = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'new', namespace: NAMESPACE },
}

/** A manifest for a hosted host: another image, a further variable, a role that may more, an account that is new. */
export function manifestOf(images: { node: string; cni: string }): WantedManifest {
  const env = [{ name: ONLY_NEW, value: '1' }]
  const template: PodTemplate = {
    spec: {
      // the manifest before had none of this name
      initContainers: [
        { name: 'install-cni', image: images.cni },
        { name: 'mount-bpffs', image: images.node },
      ],
      containers: [{ name: 'calico-node', image: images.node, env }],
    },
  }
  const metadata = { name: 'calico-node', namespace: NAMESPACE }
  const daemonSet = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata, spec: { template } }
  return wantedManifest('/etc/calico-agent/calico.yaml', [NEW_ROLE, NEW_ACCOUNT, daemonSet], JSON.stringify)
}

/** As the manifest of before left the cluster or, where another host has begun, as this one does. */
export function prepareObjects(cluster: FakeCluster, isBegun: boolean): void {
  cluster.objects.write(OLD_ROLE, 'kubectl-client-side-apply')
  if (!isBegun) return
  for (const object of [NEW_ROLE, NEW_ACCOUNT]) cluster.objects.write(object, 'calico-agent')
}

export function markedTemplate({ daemonSet }: WantedManifest): PodTemplate {
  return { ...daemonSet.template, metadata: { annotations: { [MANIFEST_ANNOTATION]: daemonSet.mark } } }
}

/** In words, what of the template and the objects is not as it must be. */
export function manifestFlaws(
  cluster: FakeCluster,
  isNew: { template: boolean; objects: boolean },
): string[] {
  const { metadata, spec } = cluster.set.spec.template
  const hasVariable = spec.containers.some(({ env = [] }) => env.some(({ name }) => name === ONLY_NEW))
  const hasMark = metadata?.annotations?.[MANIFEST_ANNOTATION] !== undefined
  const rules = JSON.stringify(cluster.objects.all.find(({ kind }) => kind === 'ClusterRole')?.['rules'])
  return [
    ...(hasVariable === isNew.template ? [] : [`the template has ${ONLY_NEW}: ${hasVariable}`]),
    ...(hasMark === isNew.template ? [] : [`the template has a mark: ${hasMark}`]),
    ...(rules === JSON.stringify((isNew.objects ? NEW_ROLE : OLD_ROLE).rules)
      ? []
      : [`the role has ${rules}`]),
  ]
}
