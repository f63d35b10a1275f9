import { withoutDocker } from '../../agent/adapters/pods/docker-only.ts'
import type { ContainerJson } from '../../agent/core/docker/json.ts'
import { AgentError } from '../../agent/core/errors.ts'
import type { Docker } from '../../agent/ports/docker.ts'
import type { FakeClock } from './clock.ts'
import type { FakeDocker } from './docker.ts'

/** So long after its start the kubelet has reported a container. */
const REPORT_MS = 1_500

/**
 * The pods of a host as an agent without Docker sees them: no registry is asked, and some things are known later or never.
 * `cluster` is asked for what a pod asks for, once, and for the host's images.
 */
export function fakePodRuntime(
  docker: FakeDocker,
  clock: FakeClock,
  cluster: { away: AgentError | null },
): Docker {
  const seen = new Set<string>()
  const ask = (): void => {
    if (cluster.away) throw cluster.away
  }
  return withoutDocker({
    async info() {
      ask()
      return { ...(await docker.info()), runtime: 'containerd://1.6.20', dataRoot: null, imageRoot: null }
    },
    async inspectContainer(container) {
      const found = await docker.inspectContainer(container)
      if (found && !seen.has(found.Id)) ask()
      const isReported = Date.parse(found?.State.StartedAt ?? '') + REPORT_MS < clock.date().getTime()
      if (found && isReported) seen.add(found.Id)
      return found && (isReported ? found : unreported(found))
    },
    listContainers: (label) => docker.listContainers(label),
    runningContainers: () => docker.runningContainers(),
    killContainer: (id) => docker.killContainer(id),
    containerLog: (id, lines) => docker.containerLog(id, lines),
    containerFileTail: () => Promise.resolve(undefined),
    processes: (id) => docker.processes(id),
    async readContainerFile(id, path) {
      if ((await docker.inspectContainer(id))?.State.Running) return await docker.readContainerFile(id, path)
      throw new AgentError('container-not-running', `cannot look into container ${id}: it does not run`, {
        fix: '',
      })
    },
    async inspectImage(ref) {
      ask()
      return await docker.inspectImage(ref)
    },
    inspectRemoteImage: () => Promise.resolve(null),
    pullImage: (...args) => docker.pullImage(...args),
  })
}

function unreported({ State, ...found }: ContainerJson): ContainerJson {
  return { ...found, Image: '', State: { ...State, ExitCode: State.Running ? 0 : -1 } }
}
