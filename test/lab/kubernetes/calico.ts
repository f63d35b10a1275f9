import semver from 'semver'
import type { Host } from '../host.ts'
import type { Registry } from '../registry-client.ts'
import { calicoNode } from './calico-node.ts'
import { type HostedCalico, type HostedImages, named } from './hosted.ts'
import { kubeControllers } from './kube-controllers.ts'

/** Releases whose parts have versions of their own. */
const parts: Record<string, Omit<HostedImages, 'node'>> = {
  'v2.6.5': { cni: 'v1.11.2', controllers: 'v1.0.2' },
  'v2.6.12': { cni: 'v1.11.8', controllers: 'v1.0.5' },
}

/** Calico's calico.yaml of this release with the lab's images, in its order. */
export function calicoManifest(registry: Registry, hosted: HostedCalico): object[] {
  const { release = 'v3.17.6', hosts, config = {} } = hosted
  const tags = { node: release, cni: release, controllers: release, ...parts[release], ...hosted }
  const images = {
    node: registry.image(tags.node),
    cni: registry.cniImage(tags.cni),
    controllers: registry.controllersImage(tags.controllers),
  }
  const version = new semver.SemVer(release)
  return [
    configMap(hosts, config),
    ...account('calico-kube-controllers', controllersRules),
    ...account('calico-node', nodeRules),
    calicoNode(images, version, hosted),
    kubeControllers(images, version),
  ]
}

function configMap(hosts: readonly Host[], config: Readonly<Record<string, string>>): object {
  const plugins = [
    {
      type: 'calico',
      log_level: 'info',
      datastore_type: 'kubernetes',
      nodename: '__KUBERNETES_NODE_NAME__',
      mtu: '__CNI_MTU__',
      // host-local and ptp stand in for Calico's IPAM and plugin
      ipam: { type: 'calico-ipam', subnet: '198.18.255.0/24', routes: [{ dst: '0.0.0.0/0' }] },
      policy: { type: 'k8s' },
      kubernetes: { kubeconfig: '__KUBECONFIG_FILEPATH__' },
    },
  ]
  const network = { name: 'k8s-pod-network', cniVersion: '0.3.1', plugins }
  const data = {
    typha_service_name: 'none',
    calico_backend: 'bird',
    veth_mtu: '1500',
    // a number, once its installer has set it
    cni_network_config: JSON.stringify(network, null, 2).replace('"__CNI_MTU__"', '__CNI_MTU__'),
    lab_peers: hosts.map(({ address }) => address).join(','),
    ...config,
  }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: named('calico-config'), data }
}

function account(name: string, rules: readonly object[]): object[] {
  const group = 'rbac.authorization.k8s.io'
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named(name) },
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: 'kube-system' }],
    },
  ]
}

const read = ['get', 'list', 'watch']
const nodeRules = [
  { apiGroups: [''], resources: ['pods', 'nodes', 'namespaces', 'serviceaccounts'], verbs: read },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['list', 'watch'] },
  { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch', 'update'] },
]
const controllersRules = [{ apiGroups: [''], resources: ['nodes', 'pods'], verbs: read }]
