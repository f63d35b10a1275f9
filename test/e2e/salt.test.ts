// The states under a real Salt, by the commands of docs/config-management.md: a master of 3008, its minion, and one of 3006.

import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { blocks, root, section, textOf } from '../docs/markdown.ts'
import { type ExecResult, type Host, Salt } from '../lab/index.ts'
import { bring, buildPackages, type Packages } from './packages.ts'
import * as support from './support.ts'

const [setup = '', work = '', back = ''] = blocks(
  section(textOf('docs/config-management.md'), '## Salt'),
  'sh',
)
const [test = '', orchestrate = ''] = work.trim().split('\n')

/** Where the operator types, on the master: it has the clone's scripts/ and dist/. */
const CLONE = '/root/clone'

let packages: Packages
let at: support.World
let salt: Salt

beforeAll(async () => {
  ;[packages, at] = await Promise.all([buildPackages(), support.world()])
  const minions = [
    { host: at.host, version: '3008' },
    { host: at.peer, version: '3006' },
  ] as const
  salt = new Salt('3008', minions)
  await salt.start()
  await at.host.ok(['mkdir', '-p', `${CLONE}/dist`])
  await cp(join(root, 'scripts/salt'), `${at.host.root}${CLONE}/scripts/salt`, { recursive: true })
  await at.host.ok(['mv', await bring(at.host, packages.deb), `${CLONE}/dist/`])
  await at.host.writeFile('/srv/pillar/top.sls', 'base: { "*": [calico_agent] }\n')
  await ask('v2.6.12')
  expect(await typed(setup)).toMatchObject({ code: 0 })
})
afterAll(async () => {
  await salt.stop()
  await Promise.all(at.mesh.hosts.map((host) => host.run(['dpkg', '--purge', 'calico-agent'])))
  await Promise.all([packages.remove(), at.host.ok(['rm', '-rf', CLONE])])
})

/** Lines of the documentation, as they are. */
const typed = (lines: string): Promise<ExecResult> =>
  salt.run(['bash', '-euc', `cd ${CLONE} && ${lines.trim()}`])

/** The pillar of both minions, with this image in their config. */
async function ask(tag: string): Promise<void> {
  const config = { node: { image: support.image(tag) }, settle: 2, window: 60 }
  const pillar = { calico_agent: { version: packages.version, config } }
  await at.host.writeFile('/srv/pillar/calico_agent.sls', JSON.stringify(pillar))
}

const states = (): Promise<string[]> =>
  Promise.all(
    at.mesh.hosts.map(
      async (host) => `${await support.nodeId(host)} ${(await support.containers(host)).join(', ')}`,
    ),
  )

const running = (): Promise<(string | undefined)[]> =>
  Promise.all(at.mesh.hosts.map(async (host) => (await support.containers(host))[0]))

/** Start and end of the newest run. */
async function newestRun(host: Host): Promise<{ startedAt: string; endedAt: string; command: string }> {
  const { runs } = JSON.parse(await host.ok(['calico-agent', 'history', '--json'])) as {
    runs: { startedAt: string; endedAt: string; command: string }[]
  }
  return runs[0] ?? { startedAt: '', endedAt: '', command: '' }
}

it('say in test mode that a bare host would get the agent, and do nothing', async () => {
  const before = await states()
  const { code, stdout } = await typed("salt '*' state.apply calico_agent test=True")
  expect(code, stdout).toBe(0)
  expect(stdout).toContain('the agent would be installed first')
  for (const host of at.mesh.hosts) expect(await host.exists('/etc/calico-agent')).toBe(false)
  expect(await states()).toEqual(before)
})

it("install the package of the minion's own architecture", async () => {
  const source = async (): Promise<string> =>
    (await typed(`salt ${at.host.name} state.show_sls calico_agent.stage`)).stdout
  expect(await source()).toContain(`/calico-agent_${packages.version}_amd64.deb`)
  await typed(`salt ${at.host.name} grains.setval osarch arm64`)
  expect(await source()).toContain(`/calico-agent_${packages.version}_arm64.deb`)
  await typed(`salt ${at.host.name} grains.delval osarch destructive=True`)
  expect(await source()).toContain(`/calico-agent_${packages.version}_amd64.deb`)
})

it('upgrade two hosts one after the other, without a packet lost', async () => {
  const cost = await support.costOf(at, () => typed(orchestrate))
  expect(cost.result.code, cost.result.stdout).toBe(0)
  support.expectNoCost(cost)
  expect(await running()).toEqual(Array(2).fill('calico-node v2.6.12 running always'))
  const runs = await Promise.all(at.mesh.hosts.map(newestRun))
  runs.sort((a, b) => a.startedAt.localeCompare(b.startedAt))
  expect(runs.map(({ command }) => command)).toEqual(['upgrade', 'upgrade'])
  expect((runs[0]?.endedAt ?? '') < (runs[1]?.startedAt ?? '')).toBe(true)
})

it('change nothing when they are applied again', async () => {
  const before = await states()
  const { code, stdout } = await typed("salt '*' state.apply calico_agent")
  expect(code, stdout).toBe(0)
  expect(stdout).toMatch(/Succeeded: 5$/m)
  expect(stdout).not.toMatch(/changed=/)
  expect(await states()).toEqual(before)
})

it('plan in test mode with the config that is going to be there', async () => {
  await ask('ignores-term')
  const before = await states()
  const config = await at.host.readFile('/etc/calico-agent/agent.yaml')
  const { code, stdout } = await typed(test)
  expect(code, stdout).toBe(0)
  expect(stdout).toContain('Comment: planned')
  expect(stdout).toMatch(/new:\s+\S+:ignores-term\s+old:\s+\S+:v2\.6\.12/)
  expect(stdout).toContain(`pull ${support.image('ignores-term')}`)
  expect(await at.host.readFile('/etc/calico-agent/agent.yaml')).toBe(config)
  expect(await states()).toEqual(before)
})

it('end at the first host where the image is bad, which is rolled back', async () => {
  await ask('exits-at-once')
  const before = await states()
  const { code, stdout } = await typed(orchestrate)
  expect(code).not.toBe(0)
  expect(stdout).toMatch(/rolled-back by run \S+\s+gate-failed: .*exited with code 1/)
  await at.mesh.untilSettled()
  expect(await states()).toEqual(before)
  const configs = await Promise.all(
    at.mesh.hosts.map((host) => host.readFile('/etc/calico-agent/agent.yaml')),
  )
  expect(configs.filter((text) => text.includes('exits-at-once'))).toHaveLength(1)
})

it('go back on both hosts, without a packet lost, and only once', async () => {
  const cost = await support.costOf(at, () => typed(back))
  expect(cost.result.code, cost.result.stdout).toBe(0)
  support.expectNoCost(cost)
  expect(await running()).toEqual(Array(2).fill('calico-node v2.6.5 running always'))
  const before = await states()
  const again = await typed(back)
  expect(again.code, again.stdout).toBe(0)
  expect(again.stdout.match(/unchanged/g), again.stdout).toHaveLength(2)
  expect(await states()).toEqual(before)
})

it('refuse a config before it is written', async () => {
  const pillar = { calico_agent: { version: packages.version, config: { nod: {} } } }
  await at.host.writeFile('/srv/pillar/calico_agent.sls', JSON.stringify(pillar))
  const config = await at.host.readFile('/etc/calico-agent/agent.yaml')
  const { code, stdout } = await typed(`salt ${at.host.name} state.apply calico_agent.upgrade`)
  expect(code).not.toBe(0)
  expect(stdout).toContain('check_cmd execution failed')
  expect(stdout).toContain('did you mean "node"?')
  expect(await at.host.readFile('/etc/calico-agent/agent.yaml')).toBe(config)
})
