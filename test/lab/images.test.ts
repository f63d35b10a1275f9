// Each image goes wrong in the way its tag says, and in no other.

import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import {
  attachLab,
  birdSessions,
  type Host,
  type Lab,
  type Mesh,
  type NodeOptions,
  pullImage,
  until,
} from './index.ts'

let lab: Lab
let mesh: Mesh
let host: Host

beforeAll(async () => {
  lab = await attachLab()
  mesh = lab.workerMesh()
  const [first] = mesh.hosts
  if (!first) throw new Error('cannot test: a host is needed')
  host = first
  await mesh.reset()
})

beforeEach(async () => {
  await host.run(['docker', 'rm', '--force', 'calico-node'])
})

const start = (tag: string, options: Partial<NodeOptions> = {}): Promise<string> =>
  host.startNode({ ...mesh.nodeOptions(host, { image: tag }), policy: 'no', ...options })

const state = async () => (await host.docker.getContainer('calico-node').inspect()).State
const exited = async (): Promise<boolean> => !(await state()).Running
const birdUp = (): Promise<boolean> =>
  host.birdc('show status').then(
    () => true,
    () => false,
  )
const untilBirdUp = (): Promise<void> => until('BIRD', birdUp)

async function health(path: string): Promise<string> {
  const request = `printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' | nc -w 2 127.0.0.1 9099 | head -n 1`
  return (await host.ok(['docker', 'exec', 'calico-node', 'sh', '-c', request])).trim()
}

test('exits-at-once', async () => {
  await start('exits-at-once')
  await until('the exit', exited)
  expect((await state()).ExitCode).toBe(1)
})

test('crashes-after-3s', async () => {
  await start('crashes-after-3s')
  await until('the crash', exited)
  const { StartedAt, FinishedAt, ExitCode } = await state()
  expect(ExitCode).toBe(1)
  expect(Date.parse(FinishedAt) - Date.parse(StartedAt)).toBeGreaterThan(1_000)
})

test.each(['no-bird', 'late-bird'])('%s', async (tag) => {
  await start(tag)
  await sleep(4_000)
  expect(await birdUp()).toBe(false)
  expect((await state()).Running).toBe(true)
})

test('no-peers', async () => {
  await start('no-peers')
  await untilBirdUp()
  expect(await birdSessions(host.birdSocketPath())).toEqual([])
})

test('felix answers on its health port when it is enabled, and felix-unhealthy answers 503', async () => {
  const env = { ...mesh.nodeOptions(host).env, FELIX_HEALTHENABLED: 'true' }
  await start('v2.6.12', { env })
  await until('Felix', async () => (await health('/readiness')).includes('204'))
  await host.run(['docker', 'rm', '--force', 'calico-node'])
  await start('felix-unhealthy', { env })
  await until('Felix', async () => (await health('/readiness')).includes('503'))
  await until('its liveness', async () => (await health('/liveness')).includes('204'))
})

async function felixPid(args: string): Promise<string | undefined> {
  const listed: unknown = await host.docker.getContainer('calico-node').top({ ps_args: '-eo pid,args' })
  return (listed as { Processes: string[][] }).Processes.find(([, of]) => of === args)?.[0]
}

test.each([
  ['v2.6.12', 'calico-felix'],
  ['v3.26.1', 'calico-node -felix'],
])('the Felix of %s is the process %s, which stays the same', async (tag, args) => {
  await start(tag)
  await untilBirdUp()
  await until('Felix', async () => (await felixPid(args)) !== undefined)
  const pid = await felixPid(args)
  await sleep(3_000)
  expect(await felixPid(args)).toBe(pid)
})

test('felix-crashes: runit starts Felix again and again, while BIRD stays', async () => {
  await start('felix-crashes')
  await untilBirdUp()
  const pids = new Set<string>()
  const seen = async (): Promise<boolean> => pids.add((await felixPid('calico-felix')) ?? '').size > 3
  await until('Felix to die twice', seen)
  expect(await birdUp()).toBe(true)
  expect((await state()).Running).toBe(true)
})

test('the parts log to files, the container to its own log, as in calico/node', async () => {
  await start('v2.6.12')
  await untilBirdUp()
  const log = (part: string): Promise<string> => host.readFile(`/var/log/calico/${part}/current`)
  await until('the logs', async () => (await log('felix')) !== '' && (await log('bird')) !== '')
  expect(await log('bird')).toMatch(/^\d{4}-\d\d-\d\d_[\d:.]+ bird: /m)
  expect(await log('felix')).toContain('Felix starting up')
  expect(await host.ok(['docker', 'logs', 'calico-node'])).toBe('Calico node started successfully\n')
})

test('with LAB_FIRST_START=fails BIRD fails once, and is up a second later with its peers', async () => {
  await start('v2.6.12', { env: { ...mesh.nodeOptions(host).env, LAB_FIRST_START: 'fails' } })
  await untilBirdUp()
  const log = await host.readFile('/var/log/calico/bird/current')
  expect(log).toContain('Unable to open configuration file')
  expect(await birdSessions(host.birdSocketPath())).toHaveLength(1)
  await until('the SIGHUP', async () =>
    (await host.readFile('/var/log/calico/bird/current')).includes('Reconfigur'),
  )
})

test('the image has birdcl, as Calico has, and no birdc', async () => {
  await start('v2.6.12')
  await untilBirdUp()
  const client = (name: string) =>
    host.run(['docker', 'exec', 'calico-node', name, '-s', '/var/run/calico/bird.ctl', 'show', 'status'])
  expect((await client('birdcl')).stdout).toContain('Last reboot')
  expect((await client('birdc')).code).not.toBe(0)
})

test('felix is silent by default', async () => {
  await start('v2.6.12')
  await sleep(2_000)
  expect(await health('/readiness').catch(() => '')).toBe('')
})

test('ignores-term', async () => {
  await start('ignores-term')
  await untilBirdUp()
  await host.ok(['docker', 'stop', '--time=3', 'calico-node'])
  expect((await state()).ExitCode).toBe(137)
})

test('wrong-arch', async () => {
  const { code, stderr } = await host.run(['docker', 'pull', '--quiet', lab.registry.image('wrong-arch')])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const { Architecture } = await host.docker.getImage(lab.registry.image('wrong-arch')).inspect()
  expect(Architecture).toBe('arm64')
  await start('wrong-arch')
  await until('the exit', exited)
  expect((await host.run(['docker', 'logs', 'calico-node'])).stderr).toContain('exec format error')
})

test('big', async () => {
  await pullImage(host, lab.registry.image('big'))
  const { Size } = await host.docker.getImage(lab.registry.image('big')).inspect()
  expect(Size).toBeGreaterThan(300 * 1024 * 1024)
})

test('good versions differ in their defaults', async () => {
  const defaults = async (tag: string) => {
    await pullImage(host, lab.registry.image(tag))
    return (await host.docker.getImage(lab.registry.image(tag)).inspect()).Config
  }
  const [old, next] = [await defaults('v2.6.5'), await defaults('v2.6.12')]
  expect(old.Env).not.toEqual(next.Env)
  expect(next.Labels['org.opencontainers.image.version']).toBe('v2.6.12')
})

test('without BIRD when the backend is none', async () => {
  await start('v2.6.5', { env: { ...mesh.nodeOptions(host).env, CALICO_NETWORKING_BACKEND: 'none' } })
  await sleep(2_000)
  expect(await birdUp()).toBe(false)
})

test('v3 answers the readiness checks', async () => {
  await start('v3.26.1')
  const ready = ['docker', 'exec', 'calico-node', '/bin/calico-node', '-bird-ready']
  await until('readiness', async () => (await host.run(ready)).code === 0)
  expect(await host.ok(['docker', 'exec', 'calico-node', '/bin/calico-node', '-v'])).toBe('v3.26.1\n')
})
