import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerJson, CreateBody, Endpoint } from '../../core/docker/json.ts'
import type { RunningContainer } from '../../core/docker/second-node.ts'
import type { ContainerSummary, Docker } from '../../ports/docker.ts'
import { answerInvalid, checkAnswer, type Shape } from './answer.ts'
import type { Request } from './connection.ts'
import { dockerTimeout, whenRefused } from './errors.ts'

type ContainerCalls = Pick<
  Docker,
  | 'inspectContainer'
  | 'listContainers'
  | 'runningContainers'
  | 'createContainer'
  | 'connectNetwork'
  | 'startContainer'
  | 'killContainer'
  | 'stopContainer'
  | 'renameContainer'
  | 'setRestartPolicy'
  | 'removeContainer'
  | 'removeVolume'
>

const noSuchContainer = /no such container/i
/** A 304 has no body. */
const anyWords = /^/
const removalPollMs = 50
/** Removing unmounts and deletes layers: on a slow disk that takes longer than any other call. */
const removalTimeoutMs = 120_000
/** Docker's own, where a container has none (moby container/container.go, DefaultStopTimeout). */
const stopGraceS = 10
const stopMarginMs = 30_000

/** The calls on containers. Kill and start are inside the outage window: each is one request, with nothing before it. */
export function containerCalls(request: Request): ContainerCalls {
  const inspectContainer = async (container: string): Promise<ContainerJson | undefined> => {
    const what = `inspect container ${container}`
    const found = await request(what, (engine, abortSignal) =>
      engine.getContainer(encodeURIComponent(container)).inspect({ abortSignal }),
    ).catch(whenRefused(404, noSuchContainer, undefined))
    return found && (checkAnswer(what, found, containerShape) as ContainerJson)
  }

  return {
    inspectContainer,

    async listContainers(label) {
      const what = 'list containers'
      const found: unknown = await request(what, (engine, abortSignal) =>
        engine.listContainers({ all: true, filters: { label: [label] }, abortSignal }),
      )
      if (!Array.isArray(found)) throw answerInvalid(what, 'it is not the JSON list that Docker returns')
      return found.map((one) => summaryOf(checkAnswer(what, one, summaryShape) as SummaryJson))
    },

    async runningContainers() {
      const what = 'list containers'
      const found: unknown = await request(what, (engine, abortSignal) =>
        engine.listContainers({ abortSignal }),
      )
      if (!Array.isArray(found)) throw answerInvalid(what, 'it is not the JSON list that Docker returns')
      return found.map((one) => runningOf(checkAnswer(what, one, runningShape) as RunningJson))
    },

    async createContainer(name, body) {
      const what = `create container ${name}`
      const created = await request(what, (engine, abortSignal) =>
        engine.createContainer(rawBody(name, body, abortSignal)),
      )
      checkAnswer(what, created, { id: 'string' })
      return created.id
    },

    async connectNetwork(container, network, endpoint) {
      await request(`connect container ${container} to network ${network}`, (engine, abortSignal) =>
        engine.getNetwork(encodeURIComponent(network)).connect(connectBody(container, endpoint, abortSignal)),
      )
    },

    async startContainer(id) {
      await request(`start container ${id}`, (engine, abortSignal) =>
        engine.getContainer(encodeURIComponent(id)).start({ abortSignal }),
      ).catch(whenRefused(304, anyWords, undefined))
    },

    async killContainer(id) {
      // the Engine answers a SIGKILL only when the container has exited (moby daemon/kill.go, Kill)
      await request(`kill container ${id}`, (engine, abortSignal) =>
        engine.getContainer(encodeURIComponent(id)).kill({ signal: 'SIGKILL', abortSignal }),
      )
        .catch(whenRefused(404, noSuchContainer, undefined))
        .catch(whenRefused(409, /is not running/i, undefined))
    },

    async stopContainer(id) {
      const graceS = (await inspectContainer(id))?.Config['StopTimeout']
      const timeoutMs = (typeof graceS === 'number' ? graceS : stopGraceS) * 1000 + stopMarginMs
      // without `t` the Engine takes the container's own timeout; a 304 says that it does not run
      await request(
        `stop container ${id}`,
        (engine, abortSignal) => engine.getContainer(encodeURIComponent(id)).stop({ abortSignal }),
        { timeoutMs },
      )
        .catch(whenRefused(304, anyWords, undefined))
        .catch(whenRefused(404, noSuchContainer, undefined))
    },

    async renameContainer(id, name) {
      await request(`rename container ${id} to ${name}`, (engine, abortSignal) =>
        engine.getContainer(encodeURIComponent(id)).rename({ name, abortSignal }),
      ).catch(whenRefused(400, /same name as its current name/i, undefined))
    },

    async setRestartPolicy(id, policy) {
      await request(`set the restart policy of container ${id}`, (engine, abortSignal) =>
        engine.getContainer(encodeURIComponent(id)).update({ RestartPolicy: policy, abortSignal }),
      )
    },

    async removeContainer(id) {
      const removed = await request(
        `remove container ${id}`,
        (engine, abortSignal) =>
          engine
            .getContainer(encodeURIComponent(id))
            .remove({ force: true, v: false, abortSignal })
            .then(() => true),
        { timeoutMs: removalTimeoutMs },
      )
        .catch(whenRefused(404, noSuchContainer, true))
        .catch(whenRefused(409, /already in progress/i, false))
      if (!removed) await waitUntilGone(inspectContainer, id)
    },

    async removeVolume(name) {
      await request(`remove volume ${name}`, (engine, abortSignal) =>
        engine.getVolume(encodeURIComponent(name)).remove({ abortSignal }),
      ).catch(whenRefused(404, /no such volume/i, undefined))
    },
  }
}

const containerShape: Shape = {
  ...{ Id: 'string', Name: 'string', Image: 'string', Mounts: 'array' },
  State: { Status: 'string', Running: 'boolean', Pid: 'number', ExitCode: 'number', StartedAt: 'string' },
  Config: { Image: 'string', Env: 'array?', Labels: 'object?' },
  HostConfig: { NetworkMode: 'string', RestartPolicy: { Name: 'string' } },
  NetworkSettings: { Networks: 'object' },
}

interface SummaryJson {
  Id: string
  Names: (string | undefined)[]
  State: string
  Labels?: Record<string, string> | null
}

const summaryShape: Shape = { Id: 'string', Names: 'array', State: 'string', Labels: 'object?' }

function summaryOf({ Id, Names, State, Labels }: SummaryJson): ContainerSummary {
  return { id: Id, name: (Names[0] ?? '').replace(/^\//, ''), state: State, labels: Labels ?? {} }
}

interface RunningJson extends SummaryJson {
  Image: string
  Command: string
  HostConfig?: { NetworkMode?: string }
  Mounts?: { Destination: string; RW: boolean }[]
}

const runningShape: Shape = {
  ...{ Id: 'string', Names: 'array', Image: 'string', Command: 'string' },
  ...{ Labels: 'object?', HostConfig: 'object?', Mounts: 'array?' },
}

function runningOf({ Image, Command, HostConfig, Mounts, ...summary }: RunningJson): RunningContainer {
  const { id, name, labels } = summaryOf(summary)
  return {
    ...{ id, name, labels },
    image: Image,
    command: Command,
    networkMode: HostConfig?.NetworkMode ?? '',
    mounts: (Mounts ?? []).map(({ Destination, RW }) => ({ target: Destination, writable: RW })),
  }
}

/** The library sends `_body` as it stands; any other field of the options would be mixed into it. */
function rawBody(name: string, body: CreateBody, abortSignal: AbortSignal): object {
  return { _query: { name }, _body: body, abortSignal }
}

function connectBody(container: string, endpoint: Endpoint, abortSignal: AbortSignal): object {
  return { Container: container, EndpointConfig: endpoint, abortSignal }
}

/** An AutoRemove container is removed by the Engine itself, after its exit was told. */
async function waitUntilGone(inspectContainer: Docker['inspectContainer'], id: string): Promise<void> {
  const end = performance.now() + removalTimeoutMs
  while ((await inspectContainer(id)) !== undefined) {
    if (performance.now() > end) throw dockerTimeout(`remove container ${id}`, removalTimeoutMs)
    await sleep(removalPollMs)
  }
}
