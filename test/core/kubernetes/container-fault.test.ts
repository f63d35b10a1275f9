import { expect, it } from 'vitest'
import { containerFault } from '../../../agent/core/kubernetes/container-fault.ts'
import type { PodContainerStatus, PodObject } from '../../../agent/core/kubernetes/pod.ts'

const podWith = (...containerStatuses: PodContainerStatus[]): PodObject => ({
  metadata: { name: 'calico-node-1', namespace: 'kube-system', uid: '1', resourceVersion: '1' },
  spec: { containers: [] },
  status: { phase: 'Running', containerStatuses },
})
const node: PodContainerStatus = { name: 'calico-node', restartCount: 1, state: { running: {} } }
const install = (status: Omit<PodContainerStatus, 'name'>): PodContainerStatus => ({
  name: 'install-cni',
  ...status,
})

it.each<[string, PodContainerStatus[], ReturnType<typeof containerFault>]>([
  ['runs, whatever the others do', [node, install({ restartCount: 0, state: { running: {} } })], null],
  ['is not reported yet', [node], { why: 'the pod is Running', isFinal: false }],
  [
    'cannot be pulled',
    [install({ state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } })],
    { why: 'install-cni: ErrImagePull: no such image', isFinal: false },
  ],
  [
    'has ended',
    [install({ state: { terminated: { exitCode: 2 } } })],
    { why: 'install-cni exited with code 2', isFinal: true },
  ],
  [
    'was started again',
    [install({ restartCount: 1, state: { running: {} }, lastState: { terminated: { exitCode: 127 } } })],
    { why: 'install-cni exited with code 127', isFinal: true },
  ],
])('a container that %s', (_, statuses, expected) => {
  expect(containerFault(podWith(...statuses), 'install-cni')).toEqual(expected)
})
