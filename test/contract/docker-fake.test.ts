import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { CreateBody } from '../../agent/core/docker/json.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { dockerContract } from './docker-contract.ts'

const image = 'calico/node:v2.6.11'
const file = { path: '/etc/motd', text: 'hello\n' }

function makeFake(): FakeDocker {
  const docker = new FakeDocker()
  docker.images.publish(image, { config: { Cmd: ['start_runit'], Env: ['PATH=/bin'] } })
  docker.images.pull(image, () => undefined)
  docker.files.set(file.path, file.text)
  return docker
}

dockerContract('the fake', () => {
  const docker = makeFake()
  docker.images.publish('quay.io/calico/node:v2.6.12')
  docker.onExec = (_container, argv) =>
    argv[0] === 'sleep'
      ? sleep(1000, { exitCode: 0, output: '' }, { ref: false })
      : { exitCode: 3, output: 'a\n' }
  return Promise.resolve({
    docker,
    image,
    networkMode: 'host',
    pullable: 'quay.io/calico/node:v2.6.12',
    missing: 'quay.io/calico/node:v0.0.0',
    file,
    command: { argv: ['sh', '-c', 'echo a; exit 3'], exitCode: 3, output: 'a\n' },
    slowCommand: ['sleep', '3'],
    dispose: () => Promise.resolve(),
  })
})

/** Measured on Engine 20.10: everything killed at once, then dockerd started again. */
describe('the fake at a power cycle', () => {
  function body(policy: string): CreateBody {
    return { Image: image, HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: policy } } }
  }
  async function afterPowerCycle(prepare: (docker: FakeDocker) => Promise<void>): Promise<boolean> {
    const docker = makeFake()
    await prepare(docker)
    docker.powerCycle()
    return (await docker.inspectContainer('c1'))?.State.Running ?? false
  }

  it.each([
    ['no', false, false],
    ['always', true, true],
    ['unless-stopped', true, false],
    ['on-failure', true, true],
  ])('%s: running before -> %s, killed before -> %s', async (policy, running, killed) => {
    const start = async (docker: FakeDocker) => {
      await docker.createContainer('c1', body(policy))
      await docker.startContainer('c1')
    }
    expect(await afterPowerCycle(start)).toBe(running)
    const kill = async (docker: FakeDocker) => {
      await start(docker)
      await docker.killContainer('c1')
    }
    expect(await afterPowerCycle(kill)).toBe(killed)
  })

  it('leaves alone what never ran, and what ended well on its own under on-failure', async () => {
    const create = async (docker: FakeDocker) => {
      await docker.createContainer('c1', body('always'))
    }
    expect(await afterPowerCycle(create)).toBe(false)
    const ended = async (docker: FakeDocker) => {
      await docker.createContainer('c1', body('on-failure'))
      await docker.startContainer('c1')
      docker.exit('c1', 0)
    }
    expect(await afterPowerCycle(ended)).toBe(false)
  })

  it('a policy that was set after the kill does not make it forget the kill', async () => {
    const later = async (docker: FakeDocker) => {
      await docker.createContainer('c1', body('no'))
      await docker.startContainer('c1')
      await docker.killContainer('c1')
      await docker.setRestartPolicy('c1', { Name: 'unless-stopped' })
    }
    expect(await afterPowerCycle(later)).toBe(false)
  })

  it('writes down what changed', async () => {
    const docker = makeFake()
    await docker.createContainer('c1', body('no'))
    await docker.startContainer('c1')
    await docker.killContainer('c1')
    await docker.killContainer('c1')
    docker.powerCycle()
    expect(docker.ops).toEqual([
      `docker create c1 ${image}`,
      'docker start c1',
      'docker kill c1',
      'power cycle',
    ])
  })

  it('an Engine that is down answers nothing', async () => {
    const docker = makeFake()
    docker.down = true
    await expect(docker.inspectContainer('c1')).rejects.toMatchObject({ code: 'docker-unreachable' })
  })
})
