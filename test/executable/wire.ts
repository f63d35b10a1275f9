import type { ServerResponse } from 'node:http'
import { EngineError } from '../../agent/adapters/docker/errors.ts'
import type { CreateBody, RestartPolicy } from '../../agent/core/docker/json.ts'
import type { RunningContainer } from '../../agent/core/docker/second-node.ts'
import { type Call, empty, json, type Reply } from '../adapters/docker/fake-engine.ts'
import type { FakeDocker } from '../fakes/docker.ts'

type Answer = (docker: FakeDocker, call: Call, id: string) => Promise<Reply>

const done = async (work: Promise<unknown>): Promise<Reply> => {
  await work
  return empty(204)
}

const found = (what: unknown, message: string): Reply =>
  what === undefined ? json(404, { message }) : json(200, what)

/** The calls of the Engine's API that the agent makes, as patterns of `METHOD path`. */
const routes: [RegExp, Answer][] = [
  [/^GET \/info$/, async (docker) => json(200, infoJson(await docker.info()))],
  [
    /^GET \/containers\/json$/,
    async (docker, { query }) => {
      if (query.get('all') !== 'true') return json(200, (await docker.runningContainers()).map(runningJson))
      const { label = [] } = JSON.parse(query.get('filters') ?? '{}') as { label?: string[] }
      const listed = await docker.listContainers(label[0] ?? '')
      return json(
        200,
        listed.map(({ id, name, state, labels }) => {
          return { Id: id, Names: [`/${name}`], State: state, Labels: labels }
        }),
      )
    },
  ],
  [
    /^POST \/containers\/create$/,
    async (docker, { query, body }) => {
      const id = await docker.createContainer(query.get('name') ?? '', JSON.parse(body) as CreateBody)
      return json(201, { Id: id, Warnings: [] })
    },
  ],
  [
    /^GET \/containers\/([^/]+)\/json$/,
    async (docker, _, id) => found(await docker.inspectContainer(id), `No such container: ${id}`),
  ],
  [/^POST \/containers\/([^/]+)\/start$/, (docker, _, id) => done(docker.startContainer(id))],
  [/^POST \/containers\/([^/]+)\/kill$/, (docker, _, id) => done(docker.killContainer(id))],
  [
    /^POST \/containers\/([^/]+)\/rename$/,
    (docker, { query }, id) => done(docker.renameContainer(id, query.get('name') ?? '')),
  ],
  [
    /^POST \/containers\/([^/]+)\/update$/,
    async (docker, { body }, id) => {
      const { RestartPolicy } = JSON.parse(body) as { RestartPolicy: RestartPolicy }
      await docker.setRestartPolicy(id, RestartPolicy)
      return json(200, { Warnings: null })
    },
  ],
  [/^DELETE \/containers\/([^/]+)$/, (docker, _, id) => done(docker.removeContainer(id))],
  [/^GET \/containers\/([^/]+)\/logs$/, () => Promise.resolve(bytes(frame('its last words')))],
  [
    /^GET \/containers\/([^/]+)\/archive$/,
    (_, { query }) =>
      Promise.resolve(json(404, { message: `Could not find the file ${query.get('path') ?? ''}` })),
  ],
  [/^POST \/containers\/([^/]+)\/exec$/, (_, __, id) => Promise.resolve(json(201, { Id: `exec-${id}` }))],
  [/^POST \/exec\/([^/]+)\/start$/, () => Promise.resolve(bytes(frame('ready')))],
  [/^GET \/exec\/([^/]+)\/json$/, () => Promise.resolve(json(200, { Running: false, ExitCode: 0 }))],
  [
    /^GET \/images\/(.+)\/json$/,
    async (docker, _, ref) => found(await docker.inspectImage(ref), `No such image: ${ref}`),
  ],
  [
    /^GET \/distribution\/(.+)\/json$/,
    async (docker, _, ref) => {
      const { digest } = await docker.inspectRemoteImage(ref, undefined, new AbortController().signal)
      return json(200, { Descriptor: { digest }, Platforms: [{ os: 'linux', architecture: 'amd64' }] })
    },
  ],
  [
    /^POST \/images\/create$/,
    async (docker, { query }) => {
      const ref = `${query.get('fromImage') ?? ''}:${query.get('tag') ?? ''}`
      await docker.pullImage(ref, () => undefined, new AbortController().signal)
      return bytes(Buffer.from(`${JSON.stringify({ status: 'Status: Downloaded newer image' })}\r\n`))
    },
  ],
]

/** A Docker Engine in memory, at the wire. */
export function answersOf(docker: FakeDocker): Reply {
  return (call, response) => {
    void answer(docker, call).then((reply) => {
      reply(call, response)
    })
  }
}

async function answer(docker: FakeDocker, call: Call): Promise<Reply> {
  for (const [pattern, reply] of routes) {
    const match = pattern.exec(`${call.method} ${call.path}`)
    if (!match) continue
    try {
      return await reply(docker, call, match[1] ?? '')
    } catch (error) {
      if (error instanceof EngineError) return json(error.status, { message: error.reply })
      return json(500, { message: String(error) })
    }
  }
  return json(404, { message: 'page not found' })
}

function infoJson({ name, os, version, dataRoot }: Awaited<ReturnType<FakeDocker['info']>>): object {
  return { Name: name, Architecture: 'x86_64', OSType: os, ServerVersion: version, DockerRootDir: dataRoot }
}

function bytes(body: Buffer): Reply {
  return (_call, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(body)
  }
}

/** Of Docker's raw stream: from stdout. */
function frame(text: string): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt8(1, 0)
  header.writeUInt32BE(text.length, 4)
  return Buffer.concat([header, Buffer.from(text)])
}

function runningJson({ id, name, image, command, labels, networkMode, mounts }: RunningContainer) {
  return {
    ...{ Id: id, Names: [`/${name}`], Image: image, Command: command, Labels: labels, State: 'running' },
    HostConfig: { NetworkMode: networkMode },
    Mounts: mounts.map(({ target, writable }) => ({ Destination: target, RW: writable })),
  }
}
