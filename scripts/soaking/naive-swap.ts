import type { Mesh } from '../../test/lab/index.ts'

const OLD_IMAGE = 'registry.lab:5000/calico/node:v2.6.5'

/** The naive swap: the new container gets its policy at once and the old one keeps its own. A boot starts both. */
export async function withoutThePolicies(mesh: Mesh): Promise<string[]> {
  await mesh.reset()
  const [host] = mesh.hosts
  if (!host) throw new Error('cannot run a trial without a host')
  await host.ok(['docker', 'kill', 'calico-node'])
  const options = ['--detach', '--name=next', '--net=host', '--privileged', '--restart=always']
  await host.ok(['docker', 'run', ...options, OLD_IMAGE])
  await host.powerCut()
  await host.powerOn()
  const running = (await host.ok(['docker', 'ps', '-q'])).trim().split('\n').length
  return running === 1 ? [] : [`${running} calico-nodes run after the boot`]
}
