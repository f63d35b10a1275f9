import { expect, it } from 'vitest'
import { onlyExisting } from '../../agent/stories/existing.ts'
import { FakeCniConfigs } from '../fakes/cni-config.ts'
import { FakeDocker } from '../fakes/docker.ts'

it('a plan cleans up what is there and not in use, not what journals remember', async () => {
  const docker = new FakeDocker()
  const configs = new FakeCniConfigs()
  docker.images.publish('calico/node:v2.6.5')
  docker.images.pull('calico/node:v2.6.5', () => undefined)
  configs.put('/opt/cni/bin/.old', 'old')
  const create = (name: string) =>
    docker.createContainer(name, {
      Image: 'calico/node:v2.6.5',
      HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'no' } },
    })
  const [parked, inUse, removed] = [await create('parked'), await create('in-use'), await create('removed')]
  await docker.startContainer(inUse)
  await docker.removeContainer(removed)
  const leftovers = {
    containers: [parked, inUse, removed],
    images: ['calico/node:v2.6.5', 'calico/node:v2.6.1'],
    files: ['/opt/cni/bin/.old', '/opt/cni/bin/.older'],
  }
  expect(await onlyExisting(leftovers, { docker, configs })).toEqual({
    containers: [parked],
    images: ['calico/node:v2.6.5'],
    files: ['/opt/cni/bin/.old'],
  })
})
