import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Docker } from '../../../agent/ports/docker.ts'
import { failureOf } from './agent-error.ts'
import { connectTo, cut, type FakeEngine, inTurn, json, type Reply, startFakeEngine } from './fake-engine.ts'

let engine: FakeEngine
let docker: Docker
beforeEach(async () => {
  engine = await startFakeEngine()
  docker = connectTo(engine)
})
afterEach(() => engine.close())

const html: Reply = (_call, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html>It works!</html>')
}

const never = new AbortController().signal
const body = { Image: 'x', HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'no' } } }

/** What the agent asks, and needs an answer to. */
const questions: [string, () => Promise<unknown>][] = [
  ['GET /info', () => docker.info()],
  ['GET /containers/c1/json', () => docker.inspectContainer('c1')],
  ['GET /containers/json', () => docker.listContainers('x')],
  ['POST /containers/create', () => docker.createContainer('c1', body)],
  ['GET /images/x:1/json', () => docker.inspectImage('x:1')],
  ['GET /distribution/x:1/json', () => docker.inspectRemoteImage('x:1', () => undefined, never)],
  ['GET /containers/c1/archive', () => docker.readContainerFile('c1', '/etc/motd')],
  ['GET /containers/c1/top', () => docker.processes('c1')],
  ['POST /containers/c1/exec', () => docker.exec('c1', ['true'], 2_000)],
]

/** Asked to do something, an Engine says little that is read. */
const orders: [string, () => Promise<unknown>][] = [
  ['POST /containers/c1/start', () => docker.startContainer('c1')],
  ['POST /containers/c1/kill', () => docker.killContainer('c1')],
  ['POST /containers/c1/rename', () => docker.renameContainer('c1', 'c2')],
  ['POST /containers/c1/update', () => docker.setRestartPolicy('c1', { Name: 'no' })],
  ['DELETE /containers/c1', () => docker.removeContainer('c1')],
]

/** The Engine's word on a small file, before its archive. */
const pathStat = {
  'x-docker-container-path-stat': Buffer.from(
    JSON.stringify({ mode: 0o644, size: 4, linkTarget: '' }),
  ).toString('base64'),
}

describe('an answer that is cut', () => {
  const cuts = ['no body', 'half a body'] as const
  it.each([...questions, ...orders])('%s fails at once, by name', async (route, ask) => {
    for (const what of cuts) {
      engine.on(route, cut(what, pathStat))
      // an order that is not answered by 204 alone is told by its status
      expect((await failureOf(ask())).code).toMatch(/^docker-(unreachable|failed)$/)
    }
  })

  it('of an exec that was started', async () => {
    engine.on('POST /containers/c1/exec', json(201, { Id: 'e1' }))
    engine.on('POST /exec/e1/start', cut('no body'))
    expect((await failureOf(docker.exec('c1', ['true'], 2_000))).code).toBe('docker-unreachable')
    engine.on('POST /exec/e1/start', json(200, ''))
    engine.on('GET /exec/e1/json', cut('half a body'))
    expect((await failureOf(docker.exec('c1', ['true'], 2_000))).code).toBe('docker-unreachable')
  })

  it('of a log is no log', async () => {
    engine.on('GET /containers/c1/logs', cut('no body'))
    expect(await docker.containerLog('c1', 5)).toBe('')
  })
})

describe('an answer of another shape', () => {
  const wrong: [string, Reply][] = [
    ['an empty object', json(200, {})],
    ['null', json(200, null)],
    ['a number', json(200, 7)],
    ['other fields', json(200, { Id: 7, Name: {}, Descriptor: 'x', State: null, Config: [] })],
    ['HTML', html],
    ['nothing', (_call, response) => void response.writeHead(200).end()],
  ]
  it.each(questions)('%s fails by name', async (route, ask) => {
    for (const [kind, reply] of wrong) {
      engine.on(route, reply)
      const error = await failureOf(ask())
      // whoever makes something answers 201
      expect(error.code, kind).toMatch(/^docker-(answer-invalid|failed)$/)
      expect(error.exitCode).toBe(3)
    }
  })

  it('of processes without a process', async () => {
    engine.on('GET /containers/c1/top', json(200, { Titles: ['PID', 'COMMAND'], Processes: [] }))
    expect((await failureOf(docker.processes('c1'))).code).toBe('docker-answer-invalid')
    engine.on('GET /containers/c1/top', json(200, { Processes: [null] }))
    expect((await failureOf(docker.processes('c1'))).code).toBe('docker-answer-invalid')
  })

  it('of what was made', async () => {
    engine.on('POST /containers/create', json(201, { Warnings: [] }))
    expect((await failureOf(docker.createContainer('c1', body))).code).toBe('docker-answer-invalid')
    engine.on('POST /containers/c1/exec', inTurn(json(201, null), json(201, { Id: 'e1' })))
    expect((await failureOf(docker.exec('c1', ['true'], 2_000))).code).toBe('docker-answer-invalid')
    engine.on('POST /exec/e1/start', json(200, ''))
    engine.on('GET /exec/e1/json', json(200, {}))
    expect((await failureOf(docker.exec('c1', ['true'], 2_000))).code).toBe('docker-answer-invalid')
  })

  it('names the first field that is missing', async () => {
    engine.on('GET /containers/c1/json', json(200, { Id: 'c1', Name: '/c1', Image: 'x', Mounts: [] }))
    const { message } = await failureOf(docker.inspectContainer('c1'))
    expect(message).toBe("cannot inspect container c1: cannot read Docker's answer: State is not an object")
  })
})

describe('a call that is never answered keeps the process alive until it fails', () => {
  const module = new URL('../../../agent/adapters/docker/engine.ts', import.meta.url).href
  const node = new URL('../../../node_modules/.bin/node', import.meta.url).pathname
  const unsettled: [string, Reply][] = [
    ['no answer', () => undefined],
    ['an upgrade', (_call, { socket }) => void socket?.end('HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n')],
  ]
  it.each(unsettled)('%s', async (_kind, reply) => {
    engine.on('GET /info', reply)
    const script = `const { connectDocker } = await import('${module}')
      const docker = connectDocker({ socket: '${engine.socket}', timeoutMs: 300 })
      console.log(await docker.info().catch((error) => error.code))`
    const { stdout } = await promisify(execFile)(node, ['--input-type=module', '-e', script])
    // Node may see the connection's end before, or with, what it switches to
    expect(stdout).toMatch(/^docker-(timeout|failed)\n$/)
  })
})
