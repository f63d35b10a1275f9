import { expect, it } from 'vitest'
import type { PodObject } from '../../../agent/core/kubernetes/pod.ts'
import { pullStateOf } from '../../../agent/core/runtime/pull-pod.ts'

type Status = NonNullable<PodObject['status']>

const waits = (reason: string, imageID?: string): Status => ({
  phase: 'Pending',
  containerStatuses: [
    {
      name: 'pull',
      state: { waiting: { reason, message: 'why' } },
      ...(imageID !== undefined && { imageID }),
    },
  ],
})

it.each<[string, Status | undefined, object]>([
  ['nobody has looked at it', undefined, { state: 'pulling' }],
  ['the kubelet has not seen it', { phase: 'Pending' }, { state: 'pulling' }],
  ['it is pulled', waits('ContainerCreating'), { state: 'pulling' }],
  ['a pull failed', waits('ErrImagePull'), { state: 'failed', reason: 'ErrImagePull: why', isFinal: false }],
  [
    'it waits for another try',
    waits('ImagePullBackOff'),
    { state: 'failed', reason: 'ImagePullBackOff: why', isFinal: false },
  ],
  [
    'the name is none',
    waits('InvalidImageName'),
    { state: 'failed', reason: 'InvalidImageName: why', isFinal: true },
  ],
  [
    'the kubelet does not take it',
    { phase: 'Failed', reason: 'OutOfpods', message: 'full' },
    { state: 'failed', reason: 'OutOfpods: full', isFinal: true },
  ],
  // the image is there: its container cannot be made or started, as it is meant to be
  ['CRI-O cannot make its container', waits('CreateContainerError'), { state: 'pulled', imageId: null }],
  [
    'a container cannot be started',
    waits('RunContainerError', 'a@sha256:1'),
    { state: 'pulled', imageId: 'a@sha256:1' },
  ],
  [
    'containerd could not start it',
    {
      phase: 'Failed',
      containerStatuses: [
        { name: 'pull', imageID: 'a@sha256:1', state: { terminated: { reason: 'StartError' } } },
      ],
    },
    { state: 'pulled', imageId: 'a@sha256:1' },
  ],
])('a pod that pulls: %s', (_, status, expected) => {
  const metadata = { name: 'p', namespace: 'n', uid: 'u', resourceVersion: '1' }
  expect(pullStateOf({ metadata, spec: { containers: [] }, ...(status && { status }) })).toEqual(expected)
})
