import { pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectDocker } from '../../../agent/adapters/docker/engine.ts'
import { demultiplex } from '../../../agent/adapters/docker/exec.ts'
import type { Docker } from '../../../agent/ports/docker.ts'
import { createdContainer } from '../../fakes/docker-container.ts'
import { failureOf } from './agent-error.ts'
import { empty, type FakeEngine, imageSample, inTurn, json, silence, startFakeEngine } from './fake-engine.ts'

let engine: FakeEngine
let docker: Docker
beforeEach(async () => {
  engine = await startFakeEngine()
  docker = connectDocker(engine)
})
afterEach(() => engine.close())

const inspected = createdContainer(
  'c1',
  'c1',
  { Image: 'x', HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'no' } } },
  imageSample,
)
const gone = json(404, { message: 'No such container: c1' })

/** The calls after the version was asked for. */
function calls(): string[] {
  return engine.calls
    .slice(1)
    .map(({ method, path, query }) => `${method} ${path}${query.size > 0 ? `?${String(query)}` : ''}`)
}

describe('kill and start', () => {
  it.each([
    ['exits', empty(204)],
    ['is gone', json(404, { message: 'Cannot kill container: c1: No such container: c1' })],
    ['does not run', json(409, { message: 'Cannot kill container: c1: Container d4a06dff is not running' })],
  ])('kill is one call where the container %s', async (_what, reply) => {
    engine.on('POST /containers/c1/kill', reply)
    await docker.killContainer('c1')
    expect(calls()).toEqual(['POST /containers/c1/kill?signal=SIGKILL'])
  })

  it.each([
    ['starts', empty(204)],
    ['runs already', empty(304)],
  ])('start is one call where the container %s', async (_what, reply) => {
    engine.on('POST /containers/c1/start', reply)
    await docker.startContainer('c1')
    expect(calls()).toEqual(['POST /containers/c1/start'])
  })

  it('a container that is gone cannot be started', async () => {
    engine.on('POST /containers/c1/start', gone)
    const error = await failureOf(docker.startContainer('c1'))
    expect(error.code).toBe('container-not-found')
    expect(error.message).toBe('cannot start container c1: No such container: c1')
  })
})

describe('create', () => {
  it('sends the body as it is, and the name beside it', async () => {
    const body = {
      Image: 'calico/node',
      name: 'kept',
      _query: 'kept',
      HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'no' } },
    }
    engine.on('POST /containers/create', json(201, { Id: 'abc', Warnings: [] }))
    expect(await docker.createContainer('calico-node', body)).toBe('abc')
    expect(calls()).toEqual(['POST /containers/create?name=calico-node'])
    expect(JSON.parse(engine.calls[1]?.body ?? '')).toEqual(body)
  })

  it.each([
    [409, 'Conflict. The container name "/c1" is already in use by container "d4".', 'container-name-taken'],
    [404, 'No such image: nope:1', 'image-missing'],
    [500, 'write /var/lib/docker/x: no space left on device', 'no-space'],
    [400, "can't create 'AutoRemove' container with restart policy", 'docker-failed'],
  ])('%i %s', async (status, message, code) => {
    engine.on('POST /containers/create', json(status, { message }))
    const body = { Image: 'x', HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'no' } } }
    const error = await failureOf(docker.createContainer('c1', body))
    expect(error.code).toBe(code)
    expect(error.message).toBe(`cannot create container c1: ${message}`)
  })
})

describe('remove', () => {
  it('never takes the volumes along', async () => {
    engine.on('DELETE /containers/c1', empty(204))
    await docker.removeContainer('c1')
    expect(calls()).toEqual(['DELETE /containers/c1?force=true&v=false'])
  })

  it('waits for a removal that goes on already', async () => {
    engine.on(
      'DELETE /containers/c1',
      json(409, { message: 'removal of container c1 is already in progress' }),
    )
    engine.on('GET /containers/c1/json', inTurn(json(200, inspected), gone))
    await docker.removeContainer('c1')
    expect(calls().slice(1)).toEqual(['GET /containers/c1/json', 'GET /containers/c1/json'])
  })

  it('is done where there is nothing', async () => {
    engine.on('DELETE /containers/c1', gone)
    engine.on('DELETE /volumes/v1', json(404, { message: 'get v1: no such volume' }))
    await docker.removeContainer('c1')
    await docker.removeVolume('v1')
  })
})

describe('the other calls', () => {
  it('rename to the same name is no error', async () => {
    const message = 'Renaming a container with the same name as its current name'
    engine.on('POST /containers/c1/rename', json(400, { message }))
    await docker.renameContainer('c1', 'c2')
    expect(calls()).toEqual(['POST /containers/c1/rename?name=c2'])
  })

  it('the restart policy is all that an update sends', async () => {
    engine.on('POST /containers/c1/update', json(200, { Warnings: null }))
    await docker.setRestartPolicy('c1', { Name: 'on-failure', MaximumRetryCount: 3 })
    expect(engine.calls[1]?.body).toBe('{"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":3}}')
  })

  it('lists stopped containers too', async () => {
    const found = [{ Id: 'abc', Names: ['/calico-node'], State: 'exited', Labels: { run: '1' } }]
    engine.on('GET /containers/json', json(200, found))
    expect(await docker.listContainers('run')).toEqual([
      { id: 'abc', name: 'calico-node', state: 'exited', labels: { run: '1' } },
    ])
    expect(engine.calls[1]?.query.get('all')).toBe('true')
    expect(engine.calls[1]?.query.get('filters')).toBe('{"label":["run"]}')
  })

  it('connects a network with what was given', async () => {
    engine.on('POST /networks/n1/connect', empty(200))
    await docker.connectNetwork('c1', 'n1', { IPAMConfig: { IPv4Address: '192.0.2.9' } })
    expect(engine.calls[1]?.body).toBe(
      '{"Container":"c1","EndpointConfig":{"IPAMConfig":{"IPv4Address":"192.0.2.9"}}}',
    )
  })
})

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt8(stream, 0)
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

describe('exec', () => {
  beforeEach(() => {
    engine.on('POST /containers/c1/exec', json(201, { Id: 'e1' }))
    engine.on('POST /exec/e1/start', (_call, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.docker.raw-stream' })
      response.end(Buffer.concat([frame(2, 'warn\n'), frame(1, 'out\n')]))
    })
  })

  it('joins both outputs and waits for the exit code', async () => {
    const running = json(200, { Running: true, ExitCode: null })
    engine.on('GET /exec/e1/json', inTurn(running, json(200, { Running: false, ExitCode: 3 })))
    expect(await docker.exec('c1', ['birdcl', '-s', 'x'], 5000)).toEqual({
      exitCode: 3,
      output: 'warn\nout\n',
    })
    expect(JSON.parse(engine.calls[1]?.body ?? '')).toMatchObject({ Cmd: ['birdcl', '-s', 'x'] })
  })

  it('ends after its time', async () => {
    engine.on('POST /exec/e1/start', silence())
    const error = await failureOf(docker.exec('c1', ['birdcl'], 200))
    expect(error.code).toBe('exec-timeout')
    expect(error.message).toBe('cannot run birdcl in container c1: it did not finish within 0.2 s')
  })

  it('needs a container that runs', async () => {
    engine.on('POST /containers/c1/exec', json(409, { message: 'Container c1 is not running' }))
    expect((await failureOf(docker.exec('c1', ['true'], 1000))).code).toBe('container-not-running')
  })

  it('demultiplexes many small frames and a cut one', () => {
    const many = Buffer.concat(Array.from({ length: 50_000 }, () => frame(1, 'x')))
    expect(demultiplex(many)).toBe('x'.repeat(50_000))
    expect(demultiplex(frame(1, 'abcdef').subarray(0, 11))).toBe('abc')
    expect(demultiplex(Buffer.alloc(5))).toBe('')
  })
})

describe('a file in a container', () => {
  const path = '/etc/calico/confd/config/bird.cfg'

  async function archive(stat: { size: number; mode: number; mtime?: string }, text: string): Promise<void> {
    const tar = pack()
    tar.entry({ name: 'bird.cfg' }, text)
    tar.finalize()
    const chunks: Buffer[] = []
    for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk)
    engine.on('GET /containers/c1/archive', (_call, response) => {
      const header = Buffer.from(JSON.stringify({ name: 'bird.cfg', linkTarget: '', ...stat })).toString(
        'base64',
      )
      response.writeHead(200, { 'content-type': 'application/x-tar', 'x-docker-container-path-stat': header })
      response.end(Buffer.concat(chunks))
    })
  }

  it('is read', async () => {
    await archive({ size: 14, mode: 0o644 }, 'router id 1;\né')
    expect(await docker.readContainerFile('c1', path)).toBe('router id 1;\né')
    expect(engine.calls[1]?.query.get('path')).toBe(path)
  })

  it.each([
    ['a symbolic link', 134218239],
    ['a directory', 2147484141],
  ])('is none where there is %s', async (_what, mode) => {
    await archive({ size: 4, mode }, '')
    expect(await docker.readContainerFile('c1', path)).toBeUndefined()
  })

  it('is none where the Engine finds none', async () => {
    engine.on(
      'GET /containers/c1/archive',
      json(404, { message: `Could not find the file ${path} in container c1` }),
    )
    expect(await docker.readContainerFile('c1', path)).toBeUndefined()
    engine.on('GET /containers/c1/archive', json(500, { message: 'lstat /x/etc/motd/x: not a directory' }))
    expect(await docker.readContainerFile('c1', path)).toBeUndefined()
  })

  it('is refused where it is huge', async () => {
    await archive({ size: 2_000_000, mode: 0o644 }, '')
    const error = await failureOf(docker.readContainerFile('c1', path))
    expect(error.message).toBe(
      `cannot read ${path} of container c1: it has 2000000 bytes, and the limit is 1048576`,
    )
  })

  it('shows its end, from the first whole line on, however long it is', async () => {
    const text = Array.from({ length: 40_000 }, (_, i) => `line ${i}\n`).join('')
    const mtime = '2026-11-26T15:30:00.123456789Z'
    await archive({ size: text.length, mode: 0o644, mtime }, text)
    const tail = await docker.containerFileTail('c1', path)
    expect(tail?.modifiedAt).toBe(mtime)
    expect(tail?.text.length).toBeGreaterThan(10_000)
    expect(tail?.text.length).toBeLessThanOrEqual(16 * 1024)
    expect(text.endsWith(`\n${tail?.text}`)).toBe(true)
    await archive({ size: 4, mode: 0o644, mtime }, 'a\nb\n')
    expect(await docker.containerFileTail('c1', path)).toEqual({ text: 'a\nb\n', modifiedAt: mtime })
  })

  it.each([
    ['is no regular file', { size: 4, mode: 0o644 | 0x08000000 }],
    ['is of no size to be read through', { size: 40 * 1024 * 1024, mode: 0o644 }],
  ])('has no end where it %s', async (_what, stat) => {
    await archive(stat, 'a\nb\n')
    expect(await docker.containerFileTail('c1', path)).toBeUndefined()
    engine.on('GET /containers/c1/archive', gone)
    expect(await docker.containerFileTail('c1', path)).toBeUndefined()
  })

  it('is an error where the container is gone', async () => {
    engine.on('GET /containers/c1/archive', gone)
    expect((await failureOf(docker.readContainerFile('c1', path))).code).toBe('container-not-found')
  })
})
