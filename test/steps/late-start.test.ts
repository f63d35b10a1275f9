import { describe, expect, it } from 'vitest'
import { RUN_LABEL } from '../../agent/core/docker/container-spec.ts'
import { preventLateStart, stopSecondNode } from '../../agent/steps/node/late-start.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeDocker } from '../fakes/docker.ts'

const IMAGE = 'calico/node:v2.6.5'

async function hostWith(...names: string[]) {
  const [docker, clock] = [new FakeDocker(), new FakeClock()]
  docker.images.publish(IMAGE)
  docker.images.pull(IMAGE, () => undefined)
  const create = (name: string) =>
    docker.createContainer(name, {
      Image: IMAGE,
      Labels: { [RUN_LABEL]: 'r1' },
      HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'no' } },
    })
  const ids = await Promise.all(names.map(create))
  const running = async () => (await docker.runningContainers()).map(({ name }) => name)
  return { docker, clock, ids, running }
}

describe('a start that Docker carries out late', () => {
  it('finds no container, where that has never run', async () => {
    const { docker, clock, ids, running } = await hostWith('next')
    await preventLateStart({ createdBy: 'r1' }, ids[0] ?? '', { docker, clock })
    await expect(docker.startContainer(ids[0] ?? '')).rejects.toMatchObject({ code: 'container-not-found' })
    expect(await running()).toEqual([])
  })

  it('of a parked one is waited for, and ended', async () => {
    const { docker, clock, ids, running } = await hostWith('parked')
    const id = ids[0] ?? ''
    await docker.startContainer(id)
    await docker.killContainer(id)
    const late = clock.sleep(300).then(() => docker.startContainer(id))
    await Promise.all([preventLateStart({ parked: id }, id, { docker, clock }), late])
    expect(docker.ops.at(-1)).toBe('docker kill parked')
    expect(await running()).toEqual([])
  })

  it('of one that has run and ended is not waited for: it was carried out', async () => {
    const { docker, clock, ids } = await hostWith('next')
    const id = ids[0] ?? ''
    await docker.startContainer(id)
    docker.exit(id, 1)
    const before = clock.now()
    await preventLateStart({ createdBy: 'r1' }, id, { docker, clock })
    expect(clock.now()).toBe(before)
    expect(await docker.inspectContainer(id)).toBeDefined()
  })

  it('beside the old one is ended, and the old one started afresh', async () => {
    const { docker, clock, ids, running } = await hostWith('calico-node', 'next')
    const [id = '', nextId = ''] = ids
    for (const one of ids) await docker.startContainer(one)
    const old = {
      ...{ id, name: 'calico-node', policy: { Name: 'always' }, wasRunning: true, autoRemove: false },
      ...{ image: IMAGE, imageId: '' },
      spec: {
        body: { Image: IMAGE, HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'no' } } },
        furtherNetworks: [],
      },
    }
    expect(await stopSecondNode({ old, id, nextId }, { docker, clock })).toBe(id)
    expect(docker.ops.slice(-3)).toEqual([
      ...['docker kill next', 'docker kill calico-node', 'docker start calico-node'],
    ])
    expect(await running()).toEqual(['calico-node'])
    expect(await stopSecondNode({ old, id, nextId }, { docker, clock })).toBeUndefined()
  })
})
