import { describe, expect, it } from 'vitest'
import { cleanUp } from '../../agent/steps/commit/clean-up.ts'
import { restartTimeline, session } from '../fakes/bird.ts'
import { onePeer, trialOf } from './trial-host.ts'

describe('the clean-up', () => {
  it('removes the image of a container that takes its time to go', async () => {
    const { context, docker } = await trialOf({
      4: { old: onePeer, now: restartTimeline('new', [session(2)]) },
    })
    docker.images.publish('calico/node:v1')
    docker.images.pull('calico/node:v1', () => undefined)
    const HostConfig = { NetworkMode: 'host', RestartPolicy: { Name: 'no' } }
    const parked = await docker.createContainer('parked', { Image: 'calico/node:v1', HostConfig })
    const remove = docker.removeContainer.bind(docker)
    docker.removeContainer = async (id) => {
      await context.clock.sleep(50)
      await remove(id)
    }
    await cleanUp.do({ containers: [parked], images: ['calico/node:v1'] }, {}, context)
    expect(await docker.inspectImage('calico/node:v1')).toBeUndefined()
  })
})
