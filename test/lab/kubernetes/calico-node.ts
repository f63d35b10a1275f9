import semver from 'semver'
import { asNumber } from '../addresses.ts'
import { type HostedCalico, type HostedImages, named } from './hosted.ts'

/** The DaemonSet of calico.yaml. */
export function calicoNode(images: HostedImages, version: semver.SemVer, hosted: HostedCalico): object {
  const install = installCni(images.cni, version)
  // Until v3.3 it stood beside calico-node and slept when it was done.
  const isInit = semver.gte(version, '3.4.0')
  const node = nodeContainer(images.node, version, hosted)
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: named('calico-node'),
    spec: {
      selector: { matchLabels: { 'k8s-app': 'calico-node' } },
      updateStrategy: strategies[hosted.updateStrategy ?? 'RollingUpdate'],
      template: {
        metadata: { labels: { 'k8s-app': 'calico-node' } },
        spec: {
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          hostNetwork: true,
          tolerations: [
            { effect: 'NoSchedule', operator: 'Exists' },
            { key: 'CriticalAddonsOnly', operator: 'Exists' },
            { effect: 'NoExecute', operator: 'Exists' },
          ],
          serviceAccountName: 'calico-node',
          terminationGracePeriodSeconds: 0,
          priorityClassName: 'system-node-critical',
          ...(isInit && { initContainers: [install] }),
          containers: isInit ? [node] : [node, install],
          volumes: Object.entries({ ...nodeVolumes, ...cniVolumes }).map(([name, path]) => ({
            name,
            hostPath: { path },
          })),
        },
      },
    },
  }
}

const strategies = {
  RollingUpdate: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
  OnDelete: { type: 'OnDelete' },
}

function installCni(image: string, version: semver.SemVer): object {
  const command = semver.gte(version, '3.16.0') ? '/opt/cni/bin/install' : '/install-cni.sh'
  return {
    name: 'install-cni',
    image,
    command: [command],
    env: [
      { name: 'CNI_CONF_NAME', value: '10-calico.conflist' },
      { name: 'CNI_NETWORK_CONFIG', valueFrom: fromConfig('cni_network_config') },
      { name: 'KUBERNETES_NODE_NAME', valueFrom: field('spec.nodeName') },
      { name: 'CNI_MTU', valueFrom: fromConfig('veth_mtu') },
      ...(semver.gte(version, '3.4.0') ? [{ name: 'SLEEP', value: 'false' }] : []),
    ],
    volumeMounts: mounts({ 'cni-bin-dir': '/host/opt/cni/bin', 'cni-net-dir': '/host/etc/cni/net.d' }),
  }
}

function nodeContainer(image: string, version: semver.SemVer, { env = {} }: HostedCalico): object {
  const own = [
    { name: 'DATASTORE_TYPE', value: 'kubernetes' },
    { name: 'NODENAME', valueFrom: field('spec.nodeName') },
    { name: 'CALICO_NETWORKING_BACKEND', valueFrom: fromConfig('calico_backend') },
    { name: 'CLUSTER_TYPE', value: 'k8s,bgp' },
    { name: 'IP', valueFrom: field('status.hostIP') },
    { name: 'AS', value: `${asNumber}` },
    { name: 'FELIX_DEFAULTENDPOINTTOHOSTACTION', value: 'ACCEPT' },
    { name: 'FELIX_HEALTHENABLED', value: 'true' },
    { name: 'LAB_PEERS', valueFrom: fromConfig('lab_peers') },
    { name: 'LAB_STARTUP_S', value: '1' },
  ]
  const further = Object.entries(env).map(([name, value]) => ({ name, value }))
  return {
    name: 'calico-node',
    image,
    env: [...own.filter(({ name }) => !(name in env)), ...further],
    securityContext: { privileged: true },
    ...probes(version),
    volumeMounts: mounts(nodeVolumes),
  }
}

/** Before v3.8 Felix's port is asked for its life, before v3.2 for everything. */
function probes(version: semver.SemVer): object {
  const http = (path: string): object => ({ httpGet: { path, port: 9099, host: 'localhost' } })
  const exec = (...flags: string[]): object => ({ exec: { command: ['/bin/calico-node', ...flags] } })
  const live = semver.gte(version, '3.8.0') ? exec('-felix-live', '-bird-live') : http('/liveness')
  const ready = semver.gte(version, '3.2.0') ? exec('-felix-ready', '-bird-ready') : http('/readiness')
  // as newer manifests have it: with one second, the kubelet of a busy machine ends a calico/node that is well
  const patience = { periodSeconds: 10, timeoutSeconds: 10 }
  return {
    livenessProbe: { ...live, ...patience, initialDelaySeconds: 10, failureThreshold: 6 },
    readinessProbe: { ...ready, ...patience },
  }
}

const fromConfig = (key: string): object => ({ configMapKeyRef: { name: 'calico-config', key } })
const field = (fieldPath: string): object => ({ fieldRef: { fieldPath } })

/** Name of a volume -> its path on the host and in calico-node. */
const nodeVolumes = {
  'lib-modules': '/lib/modules',
  'var-run-calico': '/var/run/calico',
  'var-lib-calico': '/var/lib/calico',
  'var-log-calico': '/var/log/calico',
}
const cniVolumes = { 'cni-bin-dir': '/opt/cni/bin', 'cni-net-dir': '/etc/cni/net.d' }

const mounts = (volumes: Record<string, string>): object[] =>
  Object.entries(volumes).map(([name, mountPath]) => ({ name, mountPath }))
