import { AgentError } from '../../core/errors.ts'
import type { ContainerRuntime, Docker } from '../../ports/docker.ts'

type DockerOnly = Omit<Docker, keyof ContainerRuntime>

/**
 * A runtime in Docker's place, for the same steps. What nobody but Docker can do is refused with its reason: no step of a
 * hosted install does it, and the rules refuse what would need it.
 */
export function withoutDocker(runtime: ContainerRuntime): Docker {
  const refused =
    (what: string) =>
    async (name: string): Promise<never> => {
      throw dockerNeeded(`${what} ${name}`, (await runtime.info()).runtime)
    }
  const dockerOnly: DockerOnly = {
    createContainer: refused('create container'),
    connectNetwork: refused('connect container'),
    startContainer: refused('start container'),
    stopContainer: refused('stop container'),
    renameContainer: refused('rename container'),
    setRestartPolicy: refused('set the restart policy of container'),
    removeContainer: refused('remove container'),
    removeVolume: refused('remove volume'),
    exec: refused('run a command in container'),
    fileAccess: refused('look at the files of container'),
    openContainerArchive: refused('copy from container'),
    removeImage: refused('remove image'),
  }
  return { ...runtime, ...dockerOnly }
}

function dockerNeeded(what: string, runtime: string | null): AgentError {
  return new AgentError(
    'docker-needed',
    `cannot ${what}: the container runtime of this host is ${runtime ?? 'unknown'}, and only Docker can do it`,
    { fix: 'docs/in-cluster.md says what the agent can do on a host without Docker' },
  )
}
