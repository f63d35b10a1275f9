import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { negotiate } from '../../../agent/adapters/docker/connection.ts'
import { connectDocker } from '../../../agent/adapters/docker/engine.ts'
import { failureOf } from './agent-error.ts'
import { type FakeEngine, hangUp, json, silence, startFakeEngine } from './fake-engine.ts'

const info = {
  Name: 'host-1',
  Architecture: 'x86_64',
  OSType: 'linux',
  ServerVersion: '20.10.24+dfsg1',
  DockerRootDir: '/var/lib/docker',
}

let engine: FakeEngine
beforeEach(async () => {
  engine = await startFakeEngine()
  engine.on('GET /info', json(200, info))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await engine.close()
})

describe('the connection', () => {
  it('asks for the version once, and speaks it', async () => {
    const docker = connectDocker(engine)
    expect(await docker.info()).toEqual({
      name: 'host-1',
      architecture: 'amd64',
      os: 'linux',
      version: '20.10.24+dfsg1',
      dataRoot: '/var/lib/docker',
      imageRoot: '/var/lib/docker',
      liveRestore: false,
      runtime: null,
    })
    await docker.info()
    expect(engine.calls.map((call) => call.headers[':path'])).toEqual([
      '/version',
      '/v1.41/info',
      '/v1.41/info',
    ])
  })

  it('keeps to the socket whatever DOCKER_HOST says', async () => {
    vi.stubEnv('DOCKER_HOST', 'tcp://192.0.2.1:2376')
    vi.stubEnv('DOCKER_TLS_VERIFY', '1')
    vi.stubEnv('DOCKER_CLIENT_TIMEOUT', '1')
    expect(await connectDocker(engine).info()).toMatchObject({ name: 'host-1' })
  })

  it('dials nothing before the first call', async () => {
    connectDocker(engine)
    await Promise.resolve()
    expect(engine.calls).toEqual([])
  })

  it('gives up a call that is not answered', async () => {
    engine.on('GET /info', silence())
    const error = await failureOf(connectDocker({ ...engine, timeoutMs: 200 }).info())
    expect(error.code).toBe('docker-timeout')
    expect(error.message).toBe('cannot query Docker Engine: Docker did not answer within 0.2 s')
  })

  it('bounds an answer that is cut in the middle', async () => {
    engine.on('GET /info', (_call, response) => {
      response.writeHead(200, { 'content-length': 1000 })
      response.write('{"Name":', () => response.destroy())
    })
    const error = await failureOf(connectDocker({ ...engine, timeoutMs: 300 }).info())
    expect(error.code).toMatch(/^docker-(timeout|unreachable)$/)
  })

  it('tells an Engine that is gone from a container that is gone', async () => {
    const docker = connectDocker(engine)
    await docker.info()
    engine.on('GET /containers/calico-node/json', hangUp())
    expect((await failureOf(docker.inspectContainer('calico-node'))).code).toBe('docker-unreachable')
    await engine.close()
    const error = await failureOf(docker.inspectContainer('calico-node'))
    expect(error.code).toBe('docker-unreachable')
    expect(error.fix).toBe('systemctl start docker')
  })

  it('asks again for the version after the Engine was away', async () => {
    const docker = connectDocker(engine)
    engine.on('GET /info', hangUp())
    await failureOf(docker.info())
    engine.on('GET /version', json(200, { ApiVersion: '1.24' }))
    engine.on('GET /info', json(200, info))
    await docker.info()
    expect(engine.calls.at(-1)?.headers[':path']).toBe('/v1.24/info')
  })

  it('does not take the 404 of another server for a container that is gone', async () => {
    const error = await failureOf(connectDocker(engine).inspectContainer('calico-node'))
    expect(error.code).toBe('docker-failed')
    expect(error.message).toBe('cannot inspect container calico-node: page not found')
  })

  it('keeps a name inside its path', async () => {
    engine.on('GET /containers/../info?x/json', json(404, { message: 'No such container: ../info?x' }))
    expect(await connectDocker(engine).inspectContainer('../info?x')).toBeUndefined()
  })
})

describe('a socket path that cannot work', () => {
  const kinds: Record<string, (path: string) => Promise<unknown>> = {
    'a regular file': (path) => writeFile(path, ''),
    'a directory': (path) => mkdir(path),
    'a symbolic link to docker.sock': (path) => symlink('docker.sock', path),
  }
  it.each(Object.keys(kinds))('%s', async (kind) => {
    const socket = join(engine.directory, 'other')
    await kinds[kind]?.(socket)
    const error = await failureOf(connectDocker({ socket }).info())
    expect(error.code).toBe('docker-socket-invalid')
    expect(error.message).toBe(`cannot use ${socket} as Docker's socket: it is ${kind}`)
    expect(error.exitCode).toBe(3)
  })

  it('nothing there', async () => {
    const error = await failureOf(connectDocker({ socket: join(engine.directory, 'none') }).info())
    expect(error.code).toBe('docker-unreachable')
    expect(error.message).toContain('the socket does not exist')
  })

  it('a server that is not Docker', async () => {
    const socket = join(engine.directory, 'other')
    const server = createServer((connection) => connection.end('SSH-2.0-OpenSSH_9.2\r\n'))
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    const error = await failureOf(connectDocker({ socket }).info())
    server.close()
    expect(error.code).toBe('docker-socket-invalid')
    expect(error.message).toContain('does not speak HTTP')
  })

  it('Podman, by its name', async () => {
    const Components = [{ Name: 'Podman Engine', Version: '4.3.1', Details: {} }]
    engine.on('GET /version', json(200, { ApiVersion: '1.41', MinAPIVersion: '1.24', Components }))
    const error = await failureOf(connectDocker(engine).info())
    expect(error).toMatchObject({ code: 'engine-unsupported', exitCode: 3 })
    expect(error.message).toContain('Podman Engine 4.3.1')
  })

  it('not Docker Engine, which names its components as well', async () => {
    const Components = [{ Name: 'Engine', Version: '29.0.0' }, { Name: 'containerd' }, null]
    engine.on('GET /version', json(200, { ApiVersion: '1.51', Components }))
    expect(await connectDocker(engine).info()).toMatchObject({ name: 'host-1' })
  })

  it('another HTTP server', async () => {
    engine.on('GET /version', json(200, { hello: 1 }))
    const error = await failureOf(connectDocker(engine).info())
    expect(error.code).toBe('docker-socket-invalid')
    expect(error.message).toContain('is not Docker')
  })
})

describe('negotiate', () => {
  it.each([
    ['1.41', '1.12', '1.41'],
    ['1.24', undefined, '1.24'],
    ['1.52', '1.44', '1.51'],
    ['2.0', '1.60', '1.60'],
    ['1.9', '1.0', '1.9'],
  ])("of the Engine's %s (oldest %s) is %s", (newest, oldest, chosen) => {
    expect(negotiate(newest, oldest)).toBe(chosen)
  })
})
