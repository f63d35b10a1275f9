import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LookUpWait, RemoteImage } from '../../../agent/ports/docker.ts'
import { failureOf } from './agent-error.ts'
import { connectTo, type FakeEngine, inTurn, json, silence, startFakeEngine } from './fake-engine.ts'

let engine: FakeEngine
let waits: LookUpWait[]
const never = new AbortController().signal
const image = 'quay.io/calico/node:v2.6.12'

beforeEach(async () => {
  engine = await startFakeEngine()
  waits = []
})
afterEach(() => engine.close())

function ask(signal = never, limits: Parameters<typeof connectTo>[1] = {}): Promise<RemoteImage | null> {
  return connectTo(engine, limits).inspectRemoteImage(image, (wait) => waits.push(wait), signal)
}

describe('the registry', () => {
  const path = 'GET /distribution/quay.io/calico/node:v2.6.12/json'
  const digest = 'sha256:42d5d151400a6bf0d6613c16e9554d1ac06eb8ed56e453150343601acd4457e2'

  it('tells the digest and the platforms', async () => {
    const platforms = [
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'arm64', os: 'linux', variant: 'v8' },
      { architecture: 'unknown', os: 'unknown' },
    ]
    engine.on(path, json(200, { Descriptor: { digest, size: 739 }, Platforms: platforms }))
    expect(await ask()).toEqual({
      digest,
      platforms: ['linux/amd64', 'linux/arm64'],
    })
  })

  it.each([
    [401, 'unauthorized', 'registry-denied'],
    [403, 'denied', 'registry-denied'],
    [404, 'manifest unknown', 'image-not-found'],
    [404, 'name unknown', 'image-not-found'],
    [429, 'toomanyrequests: You have reached your pull rate limit.', 'registry-throttled'],
    [500, 'received unexpected HTTP status: 500 Internal Server Error', 'registry-failed'],
    [
      500,
      'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
      'registry-unreachable',
    ],
    [404, 'page not found', 'registry-lookup-unsupported'],
  ])('answers %i %s', async (status, message, code) => {
    engine.on(path, json(status, { message }))
    expect((await failureOf(ask())).code).toBe(code)
  })

  it.each([429, 500])('is asked again after it answered %i', async (status) => {
    const failed = json(status, { message: `received unexpected HTTP status: ${status}` })
    engine.on(path, inTurn(failed, failed, json(200, { Descriptor: { digest }, Platforms: [] })))
    expect(await ask()).toEqual({ digest, platforms: [] })
  })

  it.each([
    'dial tcp 192.0.2.1:443: i/o timeout',
    'net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    'context deadline exceeded',
  ])('is asked again after the Engine waited in vain: %s', async (words) => {
    const failed = json(500, { message: `Get "https://quay.io/v2/": ${words}` })
    engine.on(path, inTurn(failed, json(200, { Descriptor: { digest }, Platforms: [] })))
    expect(await ask()).toEqual({ digest, platforms: [] })
  })

  it('is asked once where it is not there', async () => {
    engine.on(path, json(500, { message: 'dial tcp 127.0.0.1:1: connect: connection refused' }))
    await failureOf(ask())
    expect(engine.calls.filter((call) => call.path.startsWith('/distribution/'))).toHaveLength(1)
  })

  it('tells of each try that is repeated', async () => {
    const failed = json(500, { message: 'dial tcp 192.0.2.1:443: i/o timeout' })
    engine.on(path, inTurn(failed, json(200, { Descriptor: { digest }, Platforms: [] })))
    await ask()
    const reason = `cannot query quay.io for ${image}: dial tcp 192.0.2.1:443: i/o timeout`
    expect(waits).toMatchObject([{ retry: { attempt: 1, reason } }])
  })

  it('is given up after so long in all, and said to be silent before', async () => {
    engine.on(path, silence())
    expect(await failureOf(ask(never, { limitMs: 400, silenceMs: 50 }))).toMatchObject({
      code: 'registry-unreachable',
      message: `cannot query quay.io for ${image}: no answer within 0.4 s`,
    })
    expect(waits).toEqual([{ limitMs: 400 }])
  })

  it('is given up with what it said last', async () => {
    const timeout = json(500, { message: 'dial tcp 192.0.2.1:443: i/o timeout' })
    engine.on(path, inTurn(timeout, silence()))
    expect(await failureOf(ask(never, { limitMs: 2_000 }))).toMatchObject({
      code: 'registry-unreachable',
      message: `cannot query quay.io for ${image}: dial tcp 192.0.2.1:443: i/o timeout`,
    })
  })

  it('need not answer once nobody waits', async () => {
    engine.on(path, silence())
    await expect(ask(AbortSignal.timeout(50))).rejects.toThrow(/timeout/)
  })
})
