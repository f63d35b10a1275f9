import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPodRuntime } from '../../../agent/adapters/pods/pods.ts'
import { AgentError } from '../../../agent/core/errors.ts'
import type { Docker } from '../../../agent/ports/docker.ts'
import { runtimeContract } from '../../contract/runtime-contract.ts'
import { CRI_DIGEST, STATUS } from './fake-pod-api.ts'
import { FILE, IMAGE, NODE, PodHost, UID } from './pod-host.ts'

const never = new AbortController().signal
let host: PodHost
let pods: Docker

function makeHost(): void {
  host = new PodHost()
  host.api.node = NODE
  host.api.statuses = [STATUS.pulled]
  const { root, proc, kubernetes } = host
  pods = createPodRuntime({
    kubernetes,
    namespace: () => Promise.resolve('calico-agent'),
    root,
    proc,
    pull: { pollMs: 1 },
  })
}

runtimeContract('the pods of a host', () => {
  makeHost()
  host.api.statuses = [STATUS.creating, STATUS.pulled]
  return Promise.resolve({
    runtime: {
      ...pods,
      pullImage(ref, ...rest) {
        if (ref.endsWith(':v0')) host.api.statuses = [STATUS.creating, STATUS.missing]
        return pods.pullImage(ref, ...rest)
      },
    },
    start: () => host.start('contract'),
    label: 'io.kubernetes.container.name=contract',
    networkMode: 'host',
    file: FILE,
    pullable: 'quay.io/calico/node:v3.20.0',
    missing: 'quay.io/calico/node:v0',
    dispose: () => host.dispose(),
  })
})

describe('the pods of a host', () => {
  beforeEach(makeHost)
  afterEach(() => host.dispose())

  const codeOf = async (work: Promise<unknown>): Promise<string> => {
    const error: unknown = await work.catch((reason: unknown) => reason)
    return error instanceof AgentError ? error.code : String(error)
  }

  it('have what their process has, and what their pod asks for', async () => {
    const id = await host.start('calico-node', { env: { NODENAME: 'host-1' } })
    expect(await pods.inspectContainer(id)).toMatchObject({
      Name: `/k8s_calico-node_calico-node-1_kube-system_${UID}_0`,
      Image: CRI_DIGEST,
      Config: { Image: IMAGE, Env: ['NODENAME=host-1'] },
      Mounts: [{ Type: 'bind', Source: '/var/run/calico', Destination: '/var/run/calico', RW: true }],
    })
    expect(await pods.containerLog(id, 5)).toBe('Calico node started successfully\n')
  })

  it('are asked of the cluster once, and not at all for whether they run', async () => {
    const id = await host.start()
    await pods.inspectContainer(id)
    const asked = host.api.ops.length
    host.api.away = new AgentError('kubernetes-unreachable', 'away', { fix: '', isTransient: true })
    expect((await pods.inspectContainer(id))?.State.Running).toBe(true)
    await pods.killContainer(id)
    expect(await pods.listContainers('io.kubernetes.container.name=calico-node')).toMatchObject([
      { id, state: 'exited' },
    ])
    expect(host.api.ops).toHaveLength(asked)
  })

  it('are not taken for gone while the cluster cannot be asked about them', async () => {
    const id = await host.start()
    host.api.away = new AgentError('kubernetes-unreachable', 'away', { fix: '', isTransient: true })
    expect(await codeOf(pods.inspectContainer(id))).toBe('kubernetes-unreachable')
  })

  it('end with the code that the kubelet reports', async () => {
    const id = await host.start()
    await host.end(id)
    const [pod] = host.api.pods
    const terminated = { containerID: `containerd://${id}`, exitCode: 7 }
    if (pod?.status?.containerStatuses)
      pod.status.containerStatuses = [{ name: 'calico-node', lastState: { terminated } }]
    expect((await pods.inspectContainer(id))?.State).toMatchObject({ Running: false, ExitCode: 7 })
  })

  it('have an unknown code until then', async () => {
    const id = await host.start()
    await host.end(id)
    expect((await pods.inspectContainer(id))?.State).toMatchObject({ Running: false, ExitCode: -1 })
  })

  it('are shown without what only the cluster knows once their pod is gone', async () => {
    const id = await host.start()
    host.api.pods.length = 0
    expect(await pods.inspectContainer(id)).toMatchObject({
      Image: '',
      State: { Running: true },
      Config: { Image: '' },
      Mounts: [],
    })
  })

  it('end with all of their processes', async () => {
    const id = await host.start('calico-node', { further: 3 })
    expect(await pods.processes(id)).toHaveLength(4)
    await pods.killContainer(id)
    expect((await pods.inspectContainer(id))?.State.Running).toBe(false)
    expect(await codeOf(pods.processes(id))).toBe('container-not-running')
  })

  it('stay apart: no other one is killed', async () => {
    const [one, other] = [await host.start(), await host.start('calico-node', { namespace: 'calico-system' })]
    await pods.killContainer(one)
    expect((await pods.runningContainers()).map(({ id }) => id)).toEqual([other])
  })

  it('lead nowhere outside of them by their links', async () => {
    const id = await host.start()
    expect(await pods.readContainerFile(id, '/etc/calico/outside')).toBeUndefined()
  })

  it('are not looked for in a PID namespace of the agent’s own, where each would look dead', async () => {
    const id = await host.start()
    host.shareNothing()
    for (const look of [
      () => pods.inspectContainer(id),
      () => pods.killContainer(id),
      () => pods.runningContainers(),
    ])
      expect(await codeOf(look())).toBe('host-pid-missing')
  })

  it('cannot be listed without the kubelet’s links', async () => {
    const { kubernetes, proc } = host
    const blind = createPodRuntime({
      kubernetes,
      namespace: () => Promise.resolve('x'),
      proc,
      root: '/nowhere',
    })
    expect(await codeOf(blind.listContainers('io.kubernetes.container.name'))).toBe('kubelet-logs-missing')
  })

  it.each<[string, (docker: Docker) => Promise<unknown>]>([
    [
      'create',
      (docker) =>
        docker.createContainer('x', {
          Image: 'x',
          HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'no' } },
        }),
    ],
    ['run a command in', (docker) => docker.exec('x', ['true'], 1)],
    ['remove image', (docker) => docker.removeImage('x')],
  ])('are nothing to %s, as Docker’s are', async (_, call) => {
    const error: unknown = await call(pods).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'docker-needed',
      message: expect.stringContaining('the container runtime of this host is containerd://1.6.20') as string,
    })
  })

  it('know the images that the kubelet reports, and those that a container was made from', async () => {
    expect(await pods.inspectImage('quay.io/calico/cni:v3.17.6')).toMatchObject({
      Id: `sha256:${'c'.repeat(64)}`,
      RepoTags: ['quay.io/calico/cni:v3.17.6'],
    })
    expect(await pods.inspectImage(IMAGE)).toBeUndefined()
    await pods.inspectContainer(await host.start())
    for (const name of [IMAGE, CRI_DIGEST])
      expect(await pods.inspectImage(name)).toMatchObject({ Id: CRI_DIGEST, RepoTags: [IMAGE] })
    expect(await pods.inspectRemoteImage(IMAGE, () => undefined, never)).toBeNull()
  })
})
