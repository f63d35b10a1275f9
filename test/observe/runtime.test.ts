import { describe, expect, it } from 'vitest'
import type { NodeObject } from '../../agent/core/kubernetes/node.ts'
import { chooseRuntime } from '../../agent/observe/runtime.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { awayError } from '../fakes/kubernetes.ts'

const IMAGE = 'calico/node:v3.17.6'
const KUBELETS = { 'io.kubernetes.pod.name': 'calico-node-1', 'io.kubernetes.container.name': 'calico-node' }

/** A Docker or the pods of a host, with this container. */
async function holding(
  container: 'none' | 'runs' | 'exited',
  labels: Record<string, string> = {},
): Promise<FakeDocker> {
  const docker = new FakeDocker()
  docker.images.publish(IMAGE)
  docker.images.pull(IMAGE, () => undefined)
  if (container === 'none') return docker
  const HostConfig = { NetworkMode: 'host', RestartPolicy: { Name: 'no' } }
  const name = labels['io.kubernetes.pod.name'] === undefined ? 'calico-node' : 'k8s_calico-node_1'
  const id = await docker.createContainer(name, { Image: IMAGE, Labels: labels, HostConfig })
  if (container === 'runs') await docker.startContainer(id)
  return docker
}

async function down(): Promise<FakeDocker> {
  const docker = await holding('none')
  docker.down = true
  return docker
}

const node = (version: string | undefined) => (): Promise<NodeObject> =>
  Promise.resolve({
    metadata: { name: 'host-1', resourceVersion: '1' },
    status: { nodeInfo: version === undefined ? {} : { containerRuntimeVersion: version } },
  })
const away = (): Promise<NodeObject> => Promise.reject(awayError())

describe('what runs calico-node on a host of a cluster', () => {
  it.each<[string, 'docker' | 'pods', Promise<FakeDocker>, () => Promise<NodeObject>, Promise<FakeDocker>]>([
    ['a pod of Docker', 'docker', holding('runs', KUBELETS), away, holding('none')],
    [
      'a container beside containerd',
      'docker',
      holding('runs'),
      node('containerd://1.6.20'),
      holding('none'),
    ],
    ['a pod of containerd', 'pods', holding('none'), node('containerd://1.6.20'), holding('runs', KUBELETS)],
    ['a pod of CRI-O, without Docker', 'pods', down(), node('cri-o://1.23.0'), holding('runs', KUBELETS)],
    ['nothing yet, under Docker', 'docker', holding('none'), node('docker://20.10.24'), holding('none')],
    ['nothing yet, under containerd', 'pods', holding('none'), node('containerd://1.6.20'), holding('none')],
    ['an API server that does not say it', 'docker', holding('none'), node(undefined), holding('none')],
    [
      'a container that is stopped, beside containerd',
      'docker',
      holding('exited'),
      node('containerd://1.6.20'),
      holding('none'),
    ],
    [
      'a pod, beside a container of before',
      'pods',
      holding('exited'),
      node('containerd://1.6.20'),
      holding('runs', KUBELETS),
    ],
    [
      'a pod, where Docker had it before',
      'pods',
      holding('exited', KUBELETS),
      node('containerd://1.6.20'),
      holding('none'),
    ],
    ['a Docker that does not answer', 'docker', down(), node('docker://20.10.24'), holding('none')],
  ])('%s: %s', async (_, expected, docker, thisNode, pods) => {
    const candidates = { docker: await docker, pods: await pods, kubernetes: { thisNode } }
    const { runtime, isGuess } = await chooseRuntime('calico-node', 'host-1', candidates)
    expect({ runtime: runtime === candidates.docker ? 'docker' : 'pods', isGuess }).toEqual({
      runtime: expected,
      isGuess: false,
    })
  })

  it('is guessed while the cluster cannot be asked, and asked for again', async () => {
    const candidates = {
      docker: await holding('none'),
      pods: await holding('none'),
      kubernetes: { thisNode: away },
    }
    expect(await chooseRuntime('calico-node', 'host-1', candidates)).toEqual({
      runtime: candidates.docker,
      isGuess: true,
    })
  })
})
