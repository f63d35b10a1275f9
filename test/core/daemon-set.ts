import type { ConfigKeys, ObservedConfigMap } from '../../agent/core/kubernetes/config-map.ts'
import type { ObservedDaemonSet } from '../../agent/core/kubernetes/daemon-set.ts'
import type { TemplateImage } from '../../agent/core/kubernetes/template.ts'
import type { ObservedCni, ObservedImage, ObservedNode } from '../../agent/core/model.ts'
import { container, node } from './observed.ts'

export const NODE = 'calico/node:v3.17.6'
export const CNI = 'calico/cni:v3.17.6'

/** Of a pod or a template, as in calico.yaml. */
export const images = (ofNode = NODE, cni = CNI): TemplateImage[] => [
  { list: 'initContainers', name: 'install-cni', image: cni },
  { list: 'containers', name: 'calico-node', image: ofNode },
]

export function daemonSet(changes: Partial<ObservedDaemonSet> = {}): ObservedDaemonSet {
  return {
    ...{ namespace: 'kube-system', name: 'calico-node', isRolling: false },
    pod: { name: 'calico-node-1', uid: 'uid-1', node: 'host-1', images: images() },
    template: images(),
    strategy: { type: 'RollingUpdate' },
    ...changes,
  }
}

/** A calico/node that the DaemonSet keeps. */
export function hostedNode(
  changes: Partial<ObservedDaemonSet> = {},
  more: Partial<ObservedNode> = {},
): ObservedNode {
  const set = daemonSet(changes)
  const { namespace, name } = set
  return node({
    container: container({
      Config: { Image: NODE, Labels: { 'io.kubernetes.container.name': 'calico-node' } },
      HostConfig: { RestartPolicy: { Name: 'no' } },
    }),
    owner: { kind: 'daemonset', namespace, name, why: 'it belongs to its pod' },
    daemonSet: set,
    ...more,
  })
}

/** calico-config, with the keys as they are and as they are asked for. */
export function configMapOf(
  after: ConfigKeys,
  now: ConfigKeys,
  changes: Partial<ObservedConfigMap> = {},
): ObservedConfigMap {
  return {
    ...{ namespace: 'kube-system', name: 'calico-config', mark: 'm1', changedAt: '2026-11-27T00:00:00Z' },
    ...{ before: now, now, after, unknown: [], known: Object.keys(now), backendKey: 'calico_backend' },
    ...changes,
  }
}

/** The plugins of an image, which the DaemonSet installs. */
export function cniFrom(image: ObservedImage): ObservedCni {
  return {
    ...{ installed: [], offered: null, version: null, image, problems: [] },
    nodename: { written: true, optional: false },
  }
}
