import { describe, expect, it } from 'vitest'
import { observeControllers } from '../../agent/observe/controllers.ts'
import { wanted } from '../core/observed.ts'
import { FakeKubelet } from '../fakes/cni-config.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { FakeManifests } from '../fakes/manifests.ts'
import { FakeSystemd } from '../fakes/systemd.ts'

const NAME = 'calico-kube-controllers'
const UNIT_FILE = `/etc/systemd/system/${NAME}.service`
const [OLD, NEW] = ['calico/kube-controllers:v3.20.0', 'calico/kube-controllers:v3.26.1']

/** A host whose unit runs the controllers by this program. */
async function hostWith(program: string) {
  const docker = new FakeDocker([])
  for (const image of [OLD, NEW]) docker.images.publish(image)
  docker.images.pull(OLD, () => undefined)
  const systemd = new FakeSystemd(docker, undefined, [], NAME)
  const started = `[Service]\nExecStart=/usr/bin/docker run --name=${NAME} ${OLD}\n`
  systemd.files.files.set(UNIT_FILE, started)
  await systemd.daemonReload()
  await systemd.start()
  systemd.files.files.set(UNIT_FILE, started.replace('/usr/bin/docker', program))
  await systemd.daemonReload()
  return {
    docker,
    systemd,
    unitFiles: systemd.files,
    kubelet: new FakeKubelet(() => null),
    manifests: new FakeManifests(),
    kubernetes: null,
  }
}

const asked = (changes: Partial<typeof wanted.controllers>) => ({
  ...wanted,
  controllers: { ...wanted.controllers, image: NEW, ...changes },
})

const noNode = Promise.resolve(null)
const looking = { emit: () => undefined, signal: new AbortController().signal }

describe('controllers that a unit runs', () => {
  it.each([true, false])('are found with their unit; by a release: %s', async (onlyIfInstalled) => {
    const ports = await hostWith('/usr/bin/docker')
    const seen = await observeControllers(asked({ onlyIfInstalled }), ports, looking, { node: noNode })
    expect(seen.controllers).toMatchObject({
      owner: { kind: 'systemd', unit: `${NAME}.service` },
      unit: { source: { name: `${NAME}.service` } },
    })
    expect(seen.controllersImage).toMatchObject({ ref: NEW })
  })

  it('are left alone by a release where their unit cannot be changed', async () => {
    const ports = await hostWith('/usr/bin/podman')
    const byRelease = await observeControllers(asked({ onlyIfInstalled: true }), ports, looking, {
      node: noNode,
    })
    expect(byRelease.controllersImage).toBeNull()
    expect(
      (await observeControllers(asked({}), ports, looking, { node: noNode })).controllersImage,
    ).toMatchObject({
      ref: NEW,
    })
  })

  it('have no unit where the config says so', async () => {
    const ports = await hostWith('/usr/bin/docker')
    const stated = asked({ manager: 'docker' })
    const { controllers } = await observeControllers(stated, ports, looking, { node: noNode })
    expect(controllers).toMatchObject({ owner: { kind: 'docker' }, unit: null })
  })

  it('are an error where the config names a unit that is not there', async () => {
    const ports = await hostWith('/usr/bin/docker')
    const stated = asked({ manager: 'systemd', unit: 'other.service' })
    await expect(observeControllers(stated, ports, looking, { node: noNode })).rejects.toMatchObject({
      code: 'unit-missing',
      fix: expect.stringContaining('set controllers.unit, or controllers.manager: docker') as string,
    })
  })
})
