import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Docker, PullProgress } from '../../../agent/ports/docker.ts'
import { failureOf } from './agent-error.ts'
import {
  connectTo,
  type FakeEngine,
  imageSample,
  inTurn,
  json,
  lines,
  silence,
  startFakeEngine,
} from './fake-engine.ts'

let engine: FakeEngine
let docker: Docker
let progress: PullProgress[]
const never = new AbortController().signal
const image = 'quay.io/calico/node:v2.6.12'

beforeEach(async () => {
  engine = await startFakeEngine()
  docker = connectTo(engine)
  progress = []
})
afterEach(() => engine.close())

function pull(ref = image, signal = never): Promise<void> {
  return docker.pullImage(ref, (step) => progress.push(step), signal)
}

function pulls(): number {
  return engine.calls.filter(({ path }) => path === '/images/create').length
}

const begun = [
  { status: 'Pulling from calico/node', id: 'v2.6.12' },
  { status: 'Already exists', progressDetail: {}, id: '2d137ca5ff6b' },
  { status: 'Pulling fs layer', progressDetail: {}, id: 'bdbdccafb553' },
  { status: 'Downloading', progressDetail: { current: 98304, total: 8002638 }, id: 'bdbdccafb553' },
]
const whole = [
  ...begun,
  { status: 'Verifying Checksum', progressDetail: {}, id: 'bdbdccafb553' },
  { status: 'Download complete', progressDetail: {}, id: 'bdbdccafb553' },
  { status: 'Extracting', progressDetail: { current: 8002638, total: 8002638 }, id: 'bdbdccafb553' },
  { status: 'Pull complete', progressDetail: {}, id: 'bdbdccafb553' },
  { status: 'Digest: sha256:42d5d151400a6bf0d6613c16e9554d1ac06eb8ed56e453150343601acd4457e2' },
  { status: `Status: Downloaded newer image for ${image}` },
]

function failing(message: string): object[] {
  return [...begun, { errorDetail: { message }, error: message }]
}

describe('a pull', () => {
  it('adds up its layers', async () => {
    engine.on('POST /images/create', lines(whole))
    await pull()
    expect(engine.calls.at(-1)?.query.toString()).toBe('fromImage=quay.io%2Fcalico%2Fnode&tag=v2.6.12')
    expect(progress).toContainEqual({ currentBytes: 98304, totalBytes: 8002638, layersDone: 1, layers: 2 })
    expect(progress.at(-1)).toEqual({ currentBytes: 8002638, totalBytes: 8002638, layersDone: 2, layers: 2 })
  })

  it('counts on where the Engine resumes a layer', async () => {
    const resumed = [
      { status: 'Retrying in 1 second', progressDetail: {}, id: 'bdbdccafb553' },
      { status: 'Downloading', progressDetail: { current: 101923, total: 7503950 }, id: 'bdbdccafb553' },
    ]
    engine.on('POST /images/create', lines([...begun, ...resumed, ...whole.slice(-2)]))
    await pull()
    expect(progress.at(-1)).toMatchObject({ currentBytes: 8002638 - 7503950 + 101923, totalBytes: 8002638 })
  })

  it('asks for the digest where there is one, by the name that Docker shows', async () => {
    engine.on('POST /images/create', lines(whole))
    const digest = `sha256:${'a'.repeat(64)}`
    await pull(`docker.io/calico/node:v3.0.1@${digest}`)
    expect(engine.calls.at(-1)?.query.get('fromImage')).toBe('calico/node')
    expect(engine.calls.at(-1)?.query.get('tag')).toBe(digest)
  })

  it.each([
    [
      'error pulling image configuration: download failed after attempts=6: unauthorized',
      'registry-denied',
      1,
    ],
    ['error pulling image configuration: download failed after attempts=6: denied', 'registry-denied', 1],
    ['download failed after attempts=1: toomanyrequests: limit', 'registry-throttled', 3],
    [
      'download failed after attempts=6: received unexpected HTTP status: 500 Internal Server Error',
      'registry-failed',
      3,
    ],
    ['Get "https://quay.io/v2/": net/http: TLS handshake timeout', 'registry-unreachable', 3],
    ['unexpected EOF', 'registry-unreachable', 3],
    ['write /var/lib/docker/tmp/GetImageBlob350: no space left on device', 'no-space', 1],
    ['no matching manifest for linux/arm64 in the manifest list entries', 'image-wrong-platform', 1],
    ['filesystem layer verification failed for digest sha256:bdbd', 'pull-failed', 1],
  ])('takes an error in its stream for one: %s', async (message, code, tries) => {
    engine.on('POST /images/create', lines(failing(message)))
    const error = await failureOf(pull())
    expect(error.code).toBe(code)
    expect(error.message).toBe(`cannot pull ${image}: ${message}`)
    expect(pulls()).toBe(tries)
  })

  it.each([
    [404, `manifest for ${image} not found: manifest unknown: manifest unknown`, 'image-not-found', 1],
    [
      404,
      "pull access denied for x, repository does not exist or may require 'docker login': denied",
      'image-not-found',
      1,
    ],
    [500, 'unauthorized', 'registry-denied', 1],
    [
      500,
      'Head "https://quay.io/v2/calico/node/manifests/v2.6.12": no basic auth credentials',
      'registry-denied',
      1,
    ],
    [500, 'received unexpected HTTP status: 503 Service Unavailable', 'registry-failed', 3],
    [500, 'error parsing HTTP 429 response body: invalid character', 'registry-throttled', 3],
    [
      500,
      'Get "https://quay.io/v2/": x509: certificate signed by unknown authority',
      'registry-untrusted',
      1,
    ],
    [500, 'dial tcp: lookup quay.io on 192.0.2.53:53: no such host', 'registry-unreachable', 3],
  ])('%i before the stream: %s', async (status, message, code, tries) => {
    engine.on('POST /images/create', json(status, { message }))
    const error = await failureOf(pull())
    expect(error.code).toBe(code)
    expect(error.message).toBe(`cannot pull ${image}: ${message}`)
    expect(error.exitCode).toBe(3)
    expect(pulls()).toBe(tries)
  })

  it('names the registry to log in to', async () => {
    engine.on('POST /images/create', json(500, { message: 'unauthorized' }))
    expect((await failureOf(pull())).fix).toBe('docker login quay.io')
  })

  it.each(['cut', 'close'] as const)('is not done where its stream ends early (%s)', async (end) => {
    engine.on('POST /images/create', lines(begun, end))
    expect((await failureOf(pull())).code).toBe('pull-cut')
    expect(pulls()).toBe(3)
  })

  it('is repeated after a cut, and says so', async () => {
    engine.on('POST /images/create', inTurn(lines(begun, 'cut'), lines(whole)))
    await pull()
    expect(progress.filter((step) => step.retry !== undefined).map((step) => step.retry)).toEqual([
      {
        attempt: 1,
        reason: `cannot pull ${image}: the connection to Docker was closed before the pull finished`,
      },
    ])
  })

  it.each([
    ['in its stream', lines(begun, 'stall')],
    ['before it', silence()],
  ])('is repeated after a stall %s', async (_where, stall) => {
    engine.on('POST /images/create', inTurn(stall, lines(whole)))
    docker = connectTo(engine, { stallMs: 200 })
    await pull()
    expect(progress.find((step) => step.retry !== undefined)?.retry?.reason).toContain(
      'no progress for 0.2 s',
    )
  })

  it('ends at the Engine when it is aborted', async () => {
    const closed = Promise.withResolvers<undefined>()
    engine.on('POST /images/create', (call, response) => {
      response.on('close', () => {
        closed.resolve(undefined)
      })
      lines(begun, 'stall')(call, response)
    })
    const abort = new AbortController()
    const reason = new Error('asked to stop')
    const stop = () => {
      abort.abort(reason)
    }
    const work = docker.pullImage(image, stop, abort.signal)
    await expect(work).rejects.toBe(reason)
    await closed.promise
    expect(pulls()).toBe(1)
  })

  it('does not begin when it is aborted already', async () => {
    await expect(pull(image, AbortSignal.abort(new Error('asked to stop')))).rejects.toThrow('asked to stop')
    expect(pulls()).toBe(0)
  })
})

describe('local images', () => {
  it('are looked up by reference', async () => {
    const message = `no such image: ${image}: No such image: ${image}`
    engine.on(`GET /images/${image}/json`, inTurn(json(200, imageSample), json(404, { message })))
    expect(await docker.inspectImage(image)).toEqual(imageSample)
    expect(await docker.inspectImage(image)).toBeUndefined()
  })

  it.each([
    [200, [{ Untagged: image }], true],
    [404, { message: `No such image: ${image}` }, false],
    [
      409,
      {
        message:
          'conflict: unable to remove repository reference "x" (must force) - container d4 is using it',
      },
      false,
    ],
  ])('removal is answered with %i', async (status, reply, removed) => {
    engine.on(`DELETE /images/${image}`, json(status, reply))
    expect(await docker.removeImage(image)).toBe(removed)
    expect(engine.calls.at(-1)?.query.get('force')).toBe('false')
  })
})
