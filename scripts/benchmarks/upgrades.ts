import type { Report } from '../../agent/core/report/report.ts'
import { nodeRunArgs, type ResetOptions } from '../../test/lab/index.ts'
import { prepareTwin } from '../procedures.ts'
import type { Stage } from './part.ts'

/** Small images that differ in their version only. */
const VERSIONS = ['v2.6.5', 'v2.6.12'] as const
const CONFIG = '/etc/calico-agent/agent.yaml'

/** Brings up calico/node on both hosts, with both versions at hand on the one that is upgraded. */
export async function beginWithBothVersions(
  { lab, mesh, host }: Stage,
  options: ResetOptions = {},
): Promise<void> {
  await mesh.reset({ ...options, image: VERSIONS[0] })
  await host.ok(['docker', 'pull', '--quiet', lab.registry.image(VERSIONS[1])])
}

/** The version that the host does not run. */
export async function nextImage({ lab, host }: Stage): Promise<string> {
  const { Config } = await host.docker.getContainer('calico-node').inspect()
  const [one, other] = VERSIONS.map((tag) => lab.registry.image(tag)) as [string, string]
  return Config.Image === one ? other : one
}

/** Waits until the mesh has settled, and removes what the swap left: each one begins on the same host. */
export async function tidy({ mesh, host }: Stage, options: ResetOptions = {}): Promise<void> {
  await mesh.untilSettled(options)
  await host.ok(['docker', 'container', 'prune', '--force'])
  await host.ok(['rm', '-rf', '/var/lib/calico-agent'])
}

/** By the agent, told by its config file. */
export async function byAgent(stage: Stage, image: string): Promise<void> {
  await configure(stage, { node: { image } })
  await runAgent(stage)
}

/** The settling time is left out: it is waited for on purpose, after all is back. */
export async function configure({ host }: Stage, config: Record<string, unknown>): Promise<void> {
  // JSON is YAML.
  await host.writeFile(CONFIG, JSON.stringify({ ...config, settle: 0 }), 0o600)
}

export async function runAgent({ host, agent }: Stage): Promise<void> {
  const { stdout, stderr } = await host.run([agent, 'upgrade', '--config', CONFIG, '--json'])
  const { outcome } = JSON.parse(stdout) as Report
  if (outcome !== 'upgraded')
    throw new Error(`cannot measure: the agent says ${outcome}: ${stdout}\n${stderr}`)
}

/** By the three commands of Calico's document, from one shell as an operator's. */
export async function byDocument(
  { mesh, host }: Stage,
  image: string,
  options: ResetOptions = {},
): Promise<void> {
  const script = 'docker stop calico-node && docker rm calico-node && "$@"'
  const run = nodeRunArgs(host, { ...mesh.nodeOptions(host, options), image })
  await host.ok(['sh', '-c', script, 'sh', ...run])
}

/** By the two API calls that no swap can do without, with all else prepared. */
export async function byFloor({ host }: Stage, image: string): Promise<void> {
  const next = await prepareTwin(host, image, 'calico-node-twin')
  const old = host.docker.getContainer('calico-node')
  await old.kill()
  await next.start()
  await old.remove()
  await next.rename({ name: 'calico-node' })
}
