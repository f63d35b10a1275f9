// The agent as an image, built by the Dockerfile on a host, and run there with the command of docs/docker.md.

import { beforeAll, expect, it } from 'vitest'
import { blocks, textOf } from '../docs/markdown.ts'
import { until } from '../lab/index.ts'
import { buildImage } from './agent-image.ts'
import * as support from './support.ts'
import { UPGRADED } from './under-way.ts'

let at: support.World
let command: string[]

beforeAll(async () => {
  at = await support.world()
  command = runCommand()
  await buildImage(at.host, 'calico-host-agent')
})

/** `docker run ... calico-host-agent` of docs/docker.md. */
function runCommand(): string[] {
  const text = blocks(textOf('docs/docker.md'), 'sh')
    .join('\n')
    .replaceAll(/\\\n */g, '')
  const [, found = ''] = /^(docker run .* calico-host-agent) status$/m.exec(text) ?? []
  expect(found).not.toBe('')
  return found.split(' ')
}

it('tells what runs on its host', async () => {
  const { host, peer } = at
  const status = await host.ok([...command, 'status'])
  expect(status).toContain(support.image('v2.6.5'))
  expect(status).toMatch(new RegExp(`${peer.address} +\\d+ routes? +Established`))
})

it('starts under an Engine older than clone3 as the documentation says', async () => {
  const { host } = at
  // what the profile of such an Engine answers to a system call that it does not know
  const older = { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }
  await host.writeFile(
    '/root/older.json',
    JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [older] }),
  )
  const [docker = '', run = '', ...rest] = command
  const under = (profile: string): string[] => [docker, run, `--security-opt=seccomp=${profile}`, ...rest]
  expect((await host.run([...under('/root/older.json'), '--version'])).code).not.toBe(0)
  expect((await host.run([...under('unconfined'), '--version'])).code).toBe(0)
})

it.each([
  ['/opt/cni/bin', 'cni-bin-dir-unusable'],
  ['/etc/cni/net.d', 'cni-config-dir-unusable'],
  ['/var/lib/calico-agent', 'state-dir-unusable'],
])('refuses a mount of %s that is read-only before anything changes: %s', async (mount, code) => {
  const { host } = at
  await host.ok(['mkdir', '-p', '/opt/cni/bin', '/etc/cni/net.d', '/srv/cni'])
  await host.writeFile('/etc/cni/net.d/10-calico.conf', '{"cniVersion":"0.3.1","name":"k8s","type":"calico"}')
  await support.configure(host, {
    node: { image: support.image('v2.6.12') },
    cni: { directory: '/srv/cni', merge: { log_level: 'info' } },
  })
  const before = await support.nodeId(host)
  const readOnly = command.map((word) => (word === `${mount}:${mount}` ? `${word}:ro` : word))
  const { stdout, stderr, code: exit } = await host.run([...readOnly, 'upgrade', '--json'])
  const { problems } = support.parseReport(stdout, stderr)
  expect(exit).toBe(3)
  expect(problems).toContainEqual(
    expect.objectContaining({ code, fix: expect.stringMatching(`${mount}.*without :ro`) as string }),
  )
  await support.expectAsBefore(host, before)
})

it('waits for an agent on the host that has a state directory of its own', async () => {
  const { host } = at
  await support.configure(host, { node: { image: support.image('v2.6.12') }, settle: 2 })
  // as an agent holds it
  const holder = await host.start(['flock', '--no-fork', '/var/run/calico', 'sleep', '60'])
  try {
    const taken = async () => (await host.run(['flock', '-n', '/var/run/calico', 'true'])).code !== 0
    await until('the lock to be taken', taken)
    const { code, stdout, stderr } = await host.run([...command, 'upgrade', '--json'])
    expect({ code, ...support.parseReport(stdout, stderr) }).toMatchObject({
      code: 75,
      outcome: 'deferred',
      problems: [{ code: 'locked' }],
    })
  } finally {
    await holder.kill('SIGKILL')
  }
})

it('upgrades its host, without a packet lost or a route withdrawn', async () => {
  const { host } = at
  await support.configure(host, { node: { image: support.image('v2.6.12') }, settle: 2 })
  const cost = await support.costOf(at, () => host.run([...command, 'upgrade', '--json']))
  support.expectNoCost(cost)
  const { code, stdout, stderr } = cost.result
  expect({ code, ...support.parseReport(stdout, stderr) }).toMatchObject({
    code: 0,
    outcome: 'upgraded',
    problems: [],
  })
  expect(await support.containers(host)).toEqual(UPGRADED)
  expect(await host.ok([...command, 'status'])).toMatch(/last run +\S+.*: upgraded/)
})
