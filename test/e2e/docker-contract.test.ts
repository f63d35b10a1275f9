import { connectDocker } from '../../agent/adapters/docker/engine.ts'
import { dockerContract } from '../contract/docker-contract.ts'
import { image, world } from './support.ts'

dockerContract('the real Engine', async () => {
  const { host } = await world()
  const docker = connectDocker({ socket: `${host.root}/run/docker.sock` })
  const pullable = image('v2.6.12')
  return {
    docker,
    image: image('v2.6.5'),
    networkMode: 'none',
    pullable,
    missing: image('never-pushed'),
    file: { path: '/VERSION', text: 'v2.6.5\n' },
    command: { argv: ['sh', '-c', 'echo a; exit 3'], exitCode: 3, output: 'a\n' },
    slowCommand: ['sleep', '3'],
    dispose: async () => {
      await docker.removeImage(pullable)
    },
  }
})
