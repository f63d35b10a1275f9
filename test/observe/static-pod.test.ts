import { beforeEach, describe, expect, it } from 'vitest'
import type { Wanted } from '../../agent/core/wanted.ts'
import { observeControllers } from '../../agent/observe/controllers.ts'
import { wanted } from '../core/observed.ts'
import { manifestText, OLD } from '../core/pod/static-pods.ts'
import { FakeKubelet } from '../fakes/cni-config.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { FakeManifests } from '../fakes/manifests.ts'
import { FakeSystemd } from '../fakes/systemd.ts'

const NAME = 'calico-kube-controllers'
const NEW = 'calico/kube-controllers:v3.26.1'

let docker: FakeDocker
let manifests: FakeManifests
let kubelet: FakeKubelet

beforeEach(() => {
  docker = new FakeDocker()
  manifests = new FakeManifests()
  kubelet = new FakeKubelet(() => null)
  for (const image of [OLD, NEW]) docker.images.publish(image)
  docker.images.pull(OLD, () => undefined)
})

async function run(name: string, image: string, labels: Record<string, string> = {}): Promise<string> {
  const HostConfig = { NetworkMode: 'host', RestartPolicy: { Name: 'no' } }
  const id = await docker.createContainer(name, { Image: image, Labels: labels, HostConfig })
  await docker.startContainer(id)
  return id
}

const inPod = {
  'io.kubernetes.pod.name': 'controllers-host-1',
  'io.kubernetes.pod.namespace': 'default',
  'io.kubernetes.container.name': NAME,
}

/** As the kubelet does: by the image's id. */
async function runInPod(): Promise<string> {
  const image = await docker.inspectImage(OLD)
  return await run('k8s_x', image?.Id ?? '', inPod)
}

async function write(directory = '/etc/kubernetes/manifests'): Promise<void> {
  await manifests.put(`${directory}/c.yaml`, manifestText(), { mode: 0o600, uid: 0, gid: 0 })
}

async function seen(
  controllers: Partial<Wanted['controllers']> = {},
  at: Partial<Wanted['kubelet']> = {},
): ReturnType<typeof observeControllers> {
  const systemd = new FakeSystemd(docker)
  const asked = {
    ...wanted,
    controllers: { ...wanted.controllers, ...controllers },
    kubelet: { ...wanted.kubelet, ...at },
  }
  const ports = { docker, manifests, kubelet, systemd, unitFiles: systemd.files, kubernetes: null }
  const looking = { emit: () => undefined, signal: new AbortController().signal }
  return await observeControllers(asked, ports, looking, { node: Promise.resolve(null) })
}

describe('controllers of a pod', () => {
  it('are found by their label, and named by their manifest', async () => {
    const id = await runInPod()
    await write()
    const { controllers } = await seen()
    expect(controllers).toMatchObject({
      container: { Id: id, Config: { Image: OLD } },
      owner: { kind: 'static-pod', manifest: '/etc/kubernetes/manifests/c.yaml' },
    })
  })

  it('are of no manifest where a DaemonSet or a Deployment has them', async () => {
    await runInPod()
    const { owner, pod } = (await seen()).controllers ?? {}
    expect([owner?.kind, pod]).toEqual(['kubelet', undefined])
    expect(owner).toHaveProperty('why', expect.stringContaining('no manifest in /etc/kubernetes/manifests'))
  })

  it('have their manifest where the config says, else where the kubelet says', async () => {
    await runInPod()
    await write('/pods')
    expect((await seen({}, { manifests: '/pods' })).controllers?.owner.kind).toBe('static-pod')
    kubelet.manifests = () => Promise.resolve('/pods')
    expect((await seen()).controllers?.owner.kind).toBe('static-pod')
    expect((await seen({}, { manifests: '/others' })).controllers?.owner.kind).toBe('kubelet')
  })

  it('come after a container of the plain name, unless a pod is asked for', async () => {
    await runInPod()
    await write()
    const plain = await run(NAME, OLD)
    expect((await seen()).controllers?.container.Id).toBe(plain)
    expect((await seen({ manager: 'docker' })).controllers?.container.Id).toBe(plain)
    expect((await seen({ manager: 'static-pod' })).controllers?.owner.kind).toBe('static-pod')
    await docker.removeContainer(plain)
    expect((await seen({ manager: 'docker' })).controllers).toBe(null)
  })

  it('are those that run rather than those that ended', async () => {
    const ended = await runInPod()
    await docker.stopContainer(ended)
    const running = await run('k8s_y', OLD, inPod)
    expect((await seen()).controllers?.container.Id).toBe(running)
  })

  it('are reached by a release where they can be swapped', async () => {
    await runInPod()
    const byRelease = { image: NEW, onlyIfInstalled: true }
    expect((await seen(byRelease)).controllersImage).toBe(null)
    await write()
    expect((await seen(byRelease)).controllersImage?.ref).toBe(NEW)
    kubelet.facts = { ...kubelet.facts, state: 'stopped' }
    expect((await seen(byRelease)).controllersImage).toBe(null)
  })
})
