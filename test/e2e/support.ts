import { expect } from 'vitest'
import type { Report } from '../../agent/core/report/report.ts'
import { attachLab, type Host, type Mesh, type ResetOptions, type TrafficReport } from '../lab/index.ts'

export const lab = await attachLab()

export interface World {
  mesh: Mesh
  /** Where the agent runs. */
  host: Host
  /** Whose routes to the host's pod must stay. */
  peer: Host
}

/** This worker's two hosts in a known state: v2.6.5 runs on both, their pods reach each other. */
export async function world(options: ResetOptions = {}): Promise<World> {
  const mesh = lab.workerMesh()
  await mesh.reset(options)
  const [host, peer] = mesh.hosts as [Host, Host]
  return { mesh, host, peer }
}

export interface AgentResult {
  code: number
  report: Report
  stderr: string
}

/** Runs the agent on a host with `--json`. */
export async function agent(host: Host, ...args: string[]): Promise<AgentResult> {
  const { code, stdout, stderr } = await host.run(['agent', ...args, '--json'])
  return { code, report: parseReport(stdout, stderr), stderr }
}

export function parseReport(stdout: string, stderr: string): Report {
  try {
    return JSON.parse(stdout) as Report
  } catch (cause) {
    throw new Error(`cannot parse the agent's JSON: ${stdout}\n${stderr}`, { cause })
  }
}

/** The host's agent.yaml; JSON is YAML. */
export async function configure(host: Host, config: object): Promise<void> {
  await host.writeFile('/etc/calico-agent/agent.yaml', JSON.stringify(config), 0o600)
}

export interface Cost {
  traffic: TrafficReport
  /** Pod routes that the peer deleted. */
  withdrawn: string[]
}

/** What happens to the pods' packets and the peer's routes while `action` runs and the mesh settles after it. */
export async function costOf<T>(
  { mesh, host, peer }: World,
  action: () => Promise<T>,
  settled: ResetOptions = {},
): Promise<Cost & { result: T }> {
  const [traffic, routes] = await Promise.all([mesh.traffic(host, peer), mesh.watchRoutes(peer)])
  const result = await action()
  await mesh.untilSettled(settled)
  const withdrawn = (await routes.stop()).map(({ route }) => route)
  return { result, traffic: await traffic.stop(), withdrawn }
}

export function expectNoCost({ traffic, withdrawn }: Cost): void {
  expect(traffic.sent).toBeGreaterThan(20)
  expect(traffic).toMatchObject({ lost: 0 })
  expect(withdrawn).toEqual([])
}

/** With what the agent said, where it is another one. */
export function expectOutcome({ code, report }: AgentResult, expected: number, outcome: string): void {
  const said = report.problems.map(({ code: of, message }) => `${of}: ${message}`).join('\n')
  expect({ code, outcome: report.outcome }, said).toEqual({ code: expected, outcome })
}

/** Refused before the first move, for this one reason. */
export function expectRefused({ code, report }: AgentResult, problem: string): void {
  const errors = report.problems.filter(({ severity }) => severity === 'error').map((found) => found.code)
  expect({ code, outcome: report.outcome, changed: report.changed, errors }).toEqual({
    code: 3,
    outcome: 'refused',
    changed: false,
    errors: [problem],
  })
}

/** Every container of the host: `name image state policy`, by name. Runs are cut out of names. */
export async function containers(host: Host): Promise<string[]> {
  const listed = await host.docker.listContainers({ all: true })
  const inspected = await Promise.all(listed.map(({ Id }) => host.docker.getContainer(Id).inspect()))
  return inspected
    .map(({ Name, Config, State, HostConfig }) => {
      const name = Name.slice(1).replace(/\d{8}T\d{6}Z-[0-9a-f]{4}$/, 'RUN')
      const tag = Config.Image.split(':').at(-1) ?? ''
      return `${name} ${tag} ${State.Status} ${HostConfig.RestartPolicy?.Name ?? ''}`
    })
    .sort()
}

/** Id of the container that carries the operator's name. */
export async function nodeId(host: Host): Promise<string> {
  return (await host.docker.getContainer('calico-node').inspect()).Id
}

/** Nothing of the run is left: the old container runs under its own name, policy and id. */
export async function expectAsBefore(
  host: Host,
  id: string,
  image = 'v2.6.5',
  policy = 'always',
): Promise<void> {
  expect(await containers(host)).toEqual([`calico-node ${image} running ${policy}`])
  expect(await nodeId(host)).toBe(id)
}

export const image = (tag: string): string => lab.registry.image(tag)
