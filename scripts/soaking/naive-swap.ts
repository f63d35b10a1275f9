import { type Mesh, type ResetOptions, until } from '../../test/lab/index.ts'

const OLD_IMAGE = 'registry.lab:5000/calico/node:v2.6.5'

/**
 * The naive swap: the new container gets its policy at once, and whoever kept the old one, Docker or a unit, still does.
 * A boot starts both.
 */
export async function withoutThePolicies(mesh: Mesh, options?: ResetOptions): Promise<string[]> {
  await mesh.reset(options)
  const [host] = mesh.hosts
  if (!host) throw new Error('cannot run a trial without a host')
  await host.ok(['docker', 'kill', 'calico-node'])
  const flags = ['--detach', '--name=next', '--net=host', '--privileged', '--restart=always']
  await host.ok(['docker', 'run', ...flags, OLD_IMAGE])
  await host.powerCut()
  await host.powerOn()
  const running = async (): Promise<number> =>
    (await host.ok(['docker', 'ps', '-q'])).trim().split('\n').length
  // a unit is up for systemd when its docker run has begun
  await until('the second one', async () => (await running()) > 1, { timeoutMs: 20_000 }).catch(
    () => undefined,
  )
  const count = await running()
  return count === 1 ? [] : [`${count} calico-nodes run after the boot`]
}
