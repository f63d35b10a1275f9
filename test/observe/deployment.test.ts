import { describe, expect, it } from 'vitest'
import { observeControllers } from '../../agent/observe/controllers.ts'
import { wanted } from '../core/observed.ts'
import { ConfiguredHost } from '../engine/configured-host.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { awayError } from '../fakes/kubernetes.ts'
import { FakeDeployment } from '../fakes/kubernetes-deployment.ts'
import { NAME } from '../fakes/kubernetes-deployment-objects.ts'
import { FakeManifests } from '../fakes/manifests.ts'
import { FakeSystemd } from '../fakes/systemd.ts'

const [OLD, NEW] = ['calico/kube-controllers:v3.20.0', 'calico/kube-controllers:v3.26.1']
const POD = `${NAME}-${OLD.replace(/\W/g, '')}-1`

const HOST = { NetworkMode: 'host', RestartPolicy: { Name: 'no' } }

const labels = (pod: string) => ({
  'io.kubernetes.container.name': NAME,
  'io.kubernetes.pod.name': pod,
  'io.kubernetes.pod.namespace': 'kube-system',
})

async function look(
  changes: Partial<typeof wanted.controllers>,
  arrange: (host: { docker: FakeDocker; cluster: FakeDeployment }) => Promise<void> = () => Promise.resolve(),
) {
  const docker = new FakeDocker([])
  const cluster = new FakeDeployment(new FakeClock(), OLD)
  for (const image of [OLD, NEW]) docker.images.publish(image)
  docker.images.pull(OLD, () => undefined)
  await arrange({ docker, cluster })
  const systemd = new FakeSystemd(docker)
  const { kubelet } = new ConfiguredHost([])
  const ports = { docker, kubelet, systemd, unitFiles: systemd.files, manifests: new FakeManifests() }
  const controllers = { ...wanted.controllers, image: NEW, ...changes }
  return await observeControllers(
    { ...wanted, controllers, kubernetes: { cordon: true } },
    { ...ports, kubernetes: cluster },
    { emit: () => undefined, signal: new AbortController().signal },
    { node: Promise.resolve(null) },
  )
}

async function runPod({ docker }: { docker: FakeDocker }, pod = POD, image = OLD): Promise<string> {
  const id = await docker.createContainer(`k8s_${pod}`, {
    Image: image,
    Labels: labels(pod),
    HostConfig: HOST,
  })
  await docker.startContainer(id)
  return id
}

describe('the Deployment of the controllers', () => {
  it('is found by the pod that runs here', async () => {
    const seen = await look({}, async (host) => {
      await runPod(host)
    })
    expect(seen.controllers?.owner).toMatchObject({
      kind: 'deployment',
      namespace: 'kube-system',
      name: NAME,
    })
    expect(seen.controllers?.container.Config.Image).toBe(OLD)
    expect(seen.deployment).toMatchObject({ image: OLD, isAvailable: true, pods: [{ name: POD }] })
    expect(seen.controllersImage).toMatchObject({ ref: NEW })
  })

  it('is found by name where the config says so, and the pod runs elsewhere', async () => {
    const seen = await look({ manager: 'deployment' })
    expect(seen).toMatchObject({ controllers: null, deployment: { namespace: 'kube-system', name: NAME } })
  })

  it('is not asked for from elsewhere where nothing is asked for, as for a scrape', async () => {
    expect(await look({ manager: 'deployment', image: null })).toEqual({
      controllers: null,
      controllersImage: null,
    })
  })

  it('is not asked for on a host of another install', async () => {
    const calls: string[] = []
    const seen = await look({}, ({ cluster }) => {
      cluster.onCall = (what) => calls.push(what)
      return Promise.resolve()
    })
    expect([seen.controllers, seen.deployment, calls]).toEqual([null, undefined, []])
  })

  it('is no matter where this host has controllers of its own', async () => {
    const seen = await look({}, async ({ docker }) => {
      await docker.startContainer(await docker.createContainer(NAME, { Image: OLD, HostConfig: HOST }))
    })
    expect(seen.controllers?.owner.kind).toBe('docker')
    expect(seen.deployment).toBeUndefined()
  })

  it('is told from a container that an earlier pod left behind', async () => {
    const seen = await look({ manager: 'deployment' }, async (host) => {
      const id = await runPod(host, `${NAME}-gone-7`)
      await host.docker.stopContainer(id)
    })
    expect(seen).toMatchObject({ controllers: null, deployment: { image: OLD } })
  })

  it('is a problem where the API server does not tell, and the image is not looked up', async () => {
    const seen = await look({ manager: 'deployment' }, ({ cluster }) => {
      cluster.away = awayError()
      return Promise.resolve()
    })
    expect(seen.deployment).toMatchObject({ problem: { code: 'kubernetes-unreachable' } })
    expect(seen.controllersImage).toBeNull()
  })
})
