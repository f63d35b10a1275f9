import { RUN_LABEL } from '../../core/docker/container-spec.ts'
import type { Docker } from '../../ports/docker.ts'
import type { Step } from '../step.ts'

export const createContainer: Step<'create-container'> = {
  moves: false,
  describe: ({ name, spec }) => `create ${name} from ${spec.body.Image}`,
  capture: () => Promise.resolve({}),

  async do({ name, run, spec }, _before, { docker }) {
    // A container from an interrupted try may lack a network: start over.
    await removeCreated(docker, run)
    const id = await docker.createContainer(name, spec.body)
    for (const { network, endpoint } of spec.furtherNetworks)
      await docker.connectNetwork(id, network, endpoint)
  },

  verify: () => Promise.resolve({}),

  goesOn: () => Promise.resolve(false),

  async undo({ run }, _before, { docker }) {
    await removeCreated(docker, run)
    return {}
  },
}

/** Removes what this run created, and the anonymous volumes that came with it and that nothing else uses. */
export async function removeCreated(docker: Docker, run: string): Promise<void> {
  for (const { id } of await docker.listContainers(`${RUN_LABEL}=${run}`)) {
    const container = await docker.inspectContainer(id)
    if (!container) continue
    const carried = boundSources(container.HostConfig.Binds)
    await docker.removeContainer(id)
    for (const mount of container.Mounts) {
      const anonymous = mount.Type === 'volume' && /^[0-9a-f]{64}$/.test(mount.Name ?? '')
      if (anonymous && !carried.has(mount.Name ?? '')) await docker.removeVolume(mount.Name ?? '')
    }
  }
}

function boundSources(binds: string[] | null | undefined): Set<string> {
  return new Set((binds ?? []).map((bind) => bind.split(':')[0] ?? ''))
}
