import semver from 'semver'
import { type HostedImages, named } from './hosted.ts'

/** The Deployment of calico.yaml, in the host's network as with etcd as the datastore. */
export function kubeControllers(images: HostedImages, version: semver.SemVer): object {
  const check = { exec: { command: ['/usr/bin/check-status', '-r'] } }
  const container = {
    name: 'calico-kube-controllers',
    image: images.controllers,
    env: [
      { name: 'ENABLED_CONTROLLERS', value: semver.gte(version, '3.0.0') ? 'node' : 'policy' },
      { name: 'DATASTORE_TYPE', value: 'kubernetes' },
    ],
    ...(semver.gte(version, '3.2.0') && { readinessProbe: check }),
    // where the stand-ins watch one another
    volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: named('calico-kube-controllers'),
    spec: {
      replicas: 1,
      selector: { matchLabels: { 'k8s-app': 'calico-kube-controllers' } },
      strategy: { type: 'Recreate' },
      template: {
        metadata: { labels: { 'k8s-app': 'calico-kube-controllers' } },
        spec: {
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          hostNetwork: true,
          tolerations: [
            { key: 'CriticalAddonsOnly', operator: 'Exists' },
            { key: 'node-role.kubernetes.io/master', effect: 'NoSchedule' },
          ],
          serviceAccountName: 'calico-kube-controllers',
          priorityClassName: 'system-cluster-critical',
          containers: [container],
          volumes: [{ name: 'shared', hostPath: { path: '/srv/controllers' } }],
        },
      },
    },
  }
}
