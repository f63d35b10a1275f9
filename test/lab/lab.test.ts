// The lab itself: that what it shows can be trusted, in both directions.

import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  attachLab,
  birdRecovering,
  birdSessions,
  closedPort,
  type Host,
  type Lab,
  type Mesh,
  pullImage,
  registryUser,
  sessionName,
  until,
} from './index.ts'

let lab: Lab
let mesh: Mesh
let host: Host
let peer: Host

beforeAll(async () => {
  lab = await attachLab()
  mesh = lab.workerMesh()
  const [first, second] = mesh.hosts
  if (!first || !second) throw new Error('cannot test: a mesh of two hosts is needed')
  host = first
  peer = second
})

async function established(on: Host, address: string): Promise<boolean> {
  const sessions = await birdSessions(on.birdSocketPath()).catch(() => [])
  return sessions.some(({ name, state }) => name === sessionName(address) && state === 'Established')
}

describe('a reset', () => {
  test('does nothing when nothing happened', async () => {
    const nodes = () =>
      Promise.all(mesh.hosts.map(({ docker }) => docker.getContainer('calico-node').inspect()))
    await mesh.reset()
    const before = await nodes()
    await mesh.reset()
    const after = await nodes()
    expect(after.map(({ Id, State }) => [Id, State.StartedAt])).toEqual(
      before.map(({ Id, State }) => [Id, State.StartedAt]),
    )
  })

  test('makes hosts again that a test left broken', async () => {
    await mesh.reset()
    await host.powerCut()
    await mesh.reset()
    expect(await established(host, peer.address)).toBe(true)
  })

  test('removes what the agent and a test left behind', async () => {
    await mesh.reset()
    await host.writeFile('/var/lib/calico-agent/journal/1.jsonl', 'left behind', 0o600)
    await host.writeFile('/etc/systemd/system/calico-node.service', '[Service]\nExecStart=/bin/sleep 1000\n')
    await host.ok(['docker', 'create', '--name=calico-node-old', '-v', '/data', lab.registry.image('v2.6.5')])
    await mesh.reset()
    expect(await host.exists('/var/lib/calico-agent')).toBe(false)
    expect(await host.exists('/etc/systemd/system/calico-node.service')).toBe(false)
    const names = (await host.docker.listContainers({ all: true })).flatMap(({ Names }) => Names)
    expect(names).toEqual(['/calico-node'])
    expect(await host.ok(['docker', 'volume', 'ls', '-q'])).toBe('')
  })
})

describe('traffic', () => {
  test('a killed node and a prepared successor lose no packet', async () => {
    await mesh.reset()
    const { Config, HostConfig } = await host.docker.getContainer('calico-node').inspect()
    const image = lab.registry.image('v2.6.12')
    await pullImage(host, image)
    const successor = await host.docker.createContainer({
      ...Config,
      Image: image,
      HostConfig,
      name: 'successor',
    })
    const routes = await mesh.watchRoutes(peer)
    const traffic = await mesh.traffic(host, peer)
    await host.docker.getContainer('calico-node').kill()
    await successor.start()
    await until('recovery to be over', () => recovered(host))
    const report = await traffic.stop()
    expect(report.sent).toBeGreaterThan(100)
    expect(report.lost).toBe(0)
    expect(await routes.stop()).toEqual([])
  })

  test('a BIRD that hears TERM makes its peer withdraw, and packets are lost', async () => {
    await mesh.reset({ image: 'term-to-bird' })
    const routes = await mesh.watchRoutes(peer)
    const traffic = await mesh.traffic(host, peer)
    await host.ok(['docker', 'stop', 'calico-node'])
    await sleep(2_000)
    const report = await traffic.stop()
    expect(report.lost).toBeGreaterThan(100)
    expect(report.longestGapMs).toBeGreaterThan(1_000)
    expect((await routes.stop()).map(({ route }) => route.split(' ')[0])).toEqual([host.pod])
  })

  test('a second kill during recovery makes the peer withdraw', async () => {
    await mesh.reset({ deadPeers: ['192.0.2.99'] })
    const container = host.docker.getContainer('calico-node')
    const routes = await mesh.watchRoutes(peer)
    await container.kill()
    await container.start()
    await until('the session', () => established(host, peer.address))
    expect(await birdRecovering(host.birdSocketPath())).toBe(true)
    await sleep(500)
    await container.kill()
    const isGone = async (): Promise<boolean> =>
      !(await peer.ok(['ip', 'route', 'show', host.pod])).includes('proto bird')
    await until('the withdrawal', isGone)
    expect((await routes.stop()).map(({ route }) => route.split(' ')[0])).toEqual([host.pod])
  })
})

describe('a host', () => {
  test('comes back from a power cut with its container and its routes', async () => {
    await mesh.reset()
    const before = await host.docker.getContainer('calico-node').inspect()
    await host.powerCut()
    await host.powerOn()
    await mesh.untilSettled()
    const after = await host.docker.getContainer('calico-node').inspect()
    expect(after.Id).toBe(before.Id)
    expect(await peer.ok(['ip', 'route', 'show', host.pod])).toContain('proto bird')
  })

  test('comes back while something holds the network of its life before', async () => {
    const holder = await open(`/proc/${host.pid}/ns/net`)
    try {
      await host.powerCut()
      await host.powerOn()
      expect(await host.ok(['ip', '-br', 'addr', 'show', 'eth0'])).toContain(host.address)
    } finally {
      await holder.close()
    }
  })

  test('delivers a signal to the program itself', async () => {
    const program = await host.start([
      'sh',
      '-c',
      'trap "echo told; exit 7" INT; echo ready; while :; do sleep 0.1; done',
    ])
    await program.untilSays('ready')
    await program.kill('SIGINT')
    expect(await program.done).toMatchObject({ code: 7, stdout: 'ready\ntold\n' })
    const killed = await host.start(['sleep', '1000'])
    await killed.kill('SIGKILL')
    expect((await killed.done).code).toBe(137)
  })

  test('passes input, environment and time limits to a program', async () => {
    expect(await host.ok(['sh', '-c', 'cat; echo $NAME'], { input: 'in ', env: { NAME: 'set' } })).toBe(
      'in set\n',
    )
    expect(await host.ok(['hostname'])).toBe(`${host.name}\n`)
    expect((await host.run(['sleep', '100'], { timeoutMs: 2_000 })).code).toBe(137)
  })
})

describe('a router', () => {
  test('is a peer that a test can kill', async () => {
    const router = lab.router(`192.0.2.${100 + host.index}`)
    await router.start({ peers: mesh.hosts.map(({ address }) => address) })
    await mesh.reset({ extraPeers: [router.address] })
    expect(await established(host, router.address)).toBe(true)
    await router.kill()
    await until('the session to drop', async () => !(await established(host, router.address)))
    await router.remove()
  })
})

describe('the registry', () => {
  const pull = (reference: string) =>
    host.run(['docker', 'pull', '--quiet', reference], { timeoutMs: 180_000 })

  beforeAll(async () => {
    await mesh.reset()
    await lab.registry.resetFaults()
  })

  test('asks for credentials', async () => {
    const image = lab.registry.faultyImage('auth', 'v2.6.12')
    expect((await pull(image)).stderr).toMatch(/no basic auth credentials|unauthorized/)
    const { username, password } = registryUser
    const server = image.slice(0, image.indexOf('/'))
    await host.ok(['docker', 'login', '-u', username, '--password-stdin', server], { input: password })
    expect(await pull(image)).toMatchObject({ code: 0 })
    await host.ok(['docker', 'logout', server])
  })

  test.each(['too-many-requests', 'server-error'] as const)('answers %s at first', async (fault) => {
    const image = lab.registry.faultyImage(fault, 'v2.6.12')
    await lab.registry.setFault(fault, { times: 1000 })
    expect((await pull(image)).code).not.toBe(0)
    await lab.registry.setFault(fault, { times: 0 })
    expect(await pull(image)).toMatchObject({ code: 0 })
  })

  test('cuts and stalls in the middle of a layer', async () => {
    await pullImage(host, lab.registry.image('v2.6.12'))
    await lab.registry.setFault('cut', { times: 1 })
    expect(await pull(lab.registry.faultyImage('cut', 'big'))).toMatchObject({ code: 0 })
    expect((await lab.registry.faults()).cut).toMatchObject({ times: 0 })
    await host.ok(['docker', 'rmi', '--force', lab.registry.faultyImage('cut', 'big')])
    const stalled = host.run(['docker', 'pull', '--quiet', lab.registry.faultyImage('stall', 'big')], {
      timeoutMs: 8_000,
    })
    expect((await stalled).code).toBe(137)
  })

  test('has no such tag, and nothing listens on the closed port', async () => {
    expect((await pull(lab.registry.image('v9.9.9'))).stderr).toMatch(/manifest unknown/)
    const closed = lab.registry.image('v2.6.5').replace(':5000', `:${closedPort}`)
    expect((await pull(closed)).stderr).toMatch(/connection refused/)
  })
})

async function recovered(on: Host): Promise<boolean> {
  return (await established(on, peer.address)) && !(await birdRecovering(on.birdSocketPath()))
}
