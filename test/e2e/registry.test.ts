import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { closedPort, type ExecResult, type Host, pullImage, registryUser, until } from '../lab/index.ts'
import * as support from './support.ts'

// All faults of the registry in one file: their counters are shared by all hosts.

const { registry } = support.lab
const registryName = registry.address.split(':')[0] ?? ''
const unheard = `${registryName}:${closedPort}/calico/node:v2.6.12`
const helper = '/usr/local/bin/docker-credential-lab'
const dockerConfig = '/root/.docker/config.json'

let at: support.World
let host: Host
let before: string

beforeEach(async () => {
  await registry.resetFaults()
  at = await support.world()
  host = at.host
  before = await support.nodeId(host)
  await support.configure(host, { settle: 1 })
})

afterEach(async () => {
  await host.ok(['rm', '-f', helper, dockerConfig])
  await reachRegistry('del')
  await registry.resetFaults()
})

const upgrade = (ref: string): Promise<support.AgentResult> => support.agent(host, 'upgrade', '--node', ref)
const prefetch = (ref: string): Promise<support.AgentResult> => support.agent(host, 'prefetch', '--node', ref)

const stepKinds = ({ report }: support.AgentResult): string[] => report.steps.map(({ kind }) => kind)
const problemCodes = ({ report }: support.AgentResult): string[] => report.problems.map(({ code }) => code)

/** An `unreachable` route to the registry, on this host alone. */
async function reachRegistry(unreachable: 'add' | 'del'): Promise<ExecResult> {
  const address = (await host.ok(['getent', 'hosts', registryName])).split(' ')[0] ?? ''
  return await host.run(['ip', 'route', unreachable, 'unreachable', address])
}

async function expectRunning(tag: string): Promise<void> {
  expect((await support.containers(host))[0]).toBe(`calico-node ${tag} running always`)
}

describe('a registry that asks for a login', () => {
  const ref = registry.faultyImage('auth', 'v2.6.12')
  const address = ref.split('/')[0] ?? ''
  const { username, password } = registryUser
  const login = (secret: string): string => Buffer.from(`${username}:${secret}`).toString('base64')

  async function expectNoSecret({ stderr, report }: support.AgentResult, secret: string): Promise<void> {
    const journals = await host.run(['sh', '-c', 'cat /var/lib/calico-agent/runs/*'])
    const shown = `${stderr}${JSON.stringify(report)}${journals.stdout}`
    expect(shown).not.toContain(secret)
    expect(shown).not.toContain(login(secret))
  }

  it('refuses without one, and says how to log in', async () => {
    const cost = await support.costOf(at, () => upgrade(ref))
    support.expectNoCost(cost)
    support.expectRefused(cost.result, 'registry-denied')
    expect(cost.result.report.problems[0]?.fix).toBe(`docker login ${address}`)
    await support.expectAsBefore(host, before)
  })

  it('refuses a wrong one, and keeps it to itself', async () => {
    const auths = { [address]: { auth: login('not-the-password') } }
    await host.writeFile(dockerConfig, JSON.stringify({ auths }), 0o600)
    const cost = await support.costOf(at, () => upgrade(ref))
    support.expectNoCost(cost)
    support.expectRefused(cost.result, 'registry-denied')
    await expectNoSecret(cost.result, 'not-the-password')
    await support.expectAsBefore(host, before)
  })

  it('is pulled from with the login of docker login', async () => {
    const auths = { [address]: { auth: login(password) } }
    await host.writeFile(dockerConfig, JSON.stringify({ auths }), 0o600)
    const cost = await support.costOf(at, () => upgrade(ref))
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    await expectNoSecret(cost.result, password)
    await expectRunning('v2.6.12')
  })

  it("is pulled from with a credential helper's login", async () => {
    const answer = JSON.stringify({ ServerURL: address, Username: username, Secret: password })
    await host.writeFile(helper, `#!/bin/sh\n[ "$(cat)" = ${address} ] && echo '${answer}'\n`, 0o755)
    await host.writeFile(dockerConfig, JSON.stringify({ credHelpers: { [address]: 'lab' } }), 0o600)
    const cost = await support.costOf(at, () => prefetch(ref))
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'prefetched' } })
    await expectNoSecret(cost.result, password)
    await support.expectAsBefore(host, before)
  })
})

describe('a registry that fails for a while', () => {
  it.each([
    { fault: 'too-many-requests', is: 'answers 429', tag: 'v2.6.12' },
    { fault: 'server-error', is: 'answers 500', tag: 'v2.6.12' },
    { fault: 'cut', is: 'cuts the connection in a layer', tag: 'big' },
  ] as const)('is asked again where it $is', async ({ fault, tag }) => {
    await registry.setFault(fault, { times: 3 })
    const cost = await support.costOf(at, () => upgrade(registry.faultyImage(fault, tag)))
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    expect((await registry.faults())[fault]).toMatchObject({ times: 0 })
    await expectRunning(tag)
  })

  it('leaves everything as it was when it fails for good', async () => {
    await registry.setFault('too-many-requests', { times: 1000 })
    const cost = await support.costOf(at, () => upgrade(registry.faultyImage('too-many-requests', 'v2.6.12')))
    support.expectNoCost(cost)
    support.expectRefused(cost.result, 'registry-throttled')
    await support.expectAsBefore(host, before)
  })

  it('can be given up by Ctrl-C while a layer stalls', async () => {
    const cost = await support.costOf(at, async () => {
      await registry.setFault('stall', { times: 4 })
      const ref = registry.faultyImage('stall', 'big')
      const running = await host.start(['agent', 'upgrade', '--node', ref, '--json'])
      const stalled = async (): Promise<boolean> => (await registry.faults()).stall.times < 4
      await until('a layer to stall', stalled)
      await running.kill('SIGINT')
      const { code, stdout, stderr } = await running.done
      return { code, report: support.parseReport(stdout, stderr), stderr }
    })
    support.expectNoCost(cost)
    support.expectRefused(cost.result, 'cancelled')
    await support.expectAsBefore(host, before)
  })
})

describe('a registry that is not there', () => {
  it('is a refusal for an image that this host does not have', async () => {
    const cost = await support.costOf(at, () => upgrade(unheard))
    support.expectNoCost(cost)
    support.expectRefused(cost.result, 'registry-unreachable')
    await support.expectAsBefore(host, before)
  })

  it('is a warning for an image that this host has', async () => {
    await pullImage(host, support.image('v2.6.12'))
    await host.ok(['docker', 'tag', support.image('v2.6.12'), unheard])
    const cost = await support.costOf(at, () => upgrade(unheard))
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    expect(problemCodes(cost.result)).toEqual(['registry-unreachable'])
    expect(stepKinds(cost.result)).not.toContain('pull-image')
    await expectRunning('v2.6.12')
  })

  it('is not missed after a prefetch, which touches nothing that runs', async () => {
    const fetching = await support.costOf(at, () => prefetch(support.image('v2.6.12')))
    support.expectNoCost(fetching)
    expect(fetching.result).toMatchObject({ code: 0, report: { outcome: 'prefetched', changed: true } })
    expect(stepKinds(fetching.result)).toEqual(['pull-image'])
    await support.expectAsBefore(host, before)

    expect(await reachRegistry('add')).toMatchObject({ code: 0 })
    const cost = await support.costOf(at, () => upgrade(support.image('v2.6.12')))
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    expect(stepKinds(cost.result)).not.toContain('pull-image')
    await expectRunning('v2.6.12')
  })
})

describe('an image by digest', () => {
  it('is a change once', async () => {
    await pullImage(host, support.image('v2.6.12'))
    const [digest = ''] = (await host.docker.getImage(support.image('v2.6.12')).inspect()).RepoDigests
    await host.ok(['docker', 'rmi', support.image('v2.6.12')])
    const cost = await support.costOf(at, async () => [await upgrade(digest), await upgrade(digest)] as const)
    support.expectNoCost(cost)
    const [first, second] = cost.result
    expect(first).toMatchObject({ code: 0, report: { outcome: 'upgraded', changed: true } })
    expect(second).toMatchObject({ code: 0, report: { outcome: 'unchanged', changed: false, steps: [] } })
    expect((await host.docker.getContainer('calico-node').inspect()).Config.Image).toBe(digest)
  })

  it('is a change again when its tag moved', async () => {
    const tag = `moving-${host.name}`
    const moveTo = async (to: string): Promise<void> => {
      await pullImage(host, support.image(to))
      await host.ok(['docker', 'tag', support.image(to), support.image(tag)])
      await host.ok(['docker', 'push', '--quiet', support.image(tag)])
      await host.ok(['docker', 'rmi', support.image(tag)])
    }
    const version = async (): Promise<string> =>
      (await host.ok(['docker', 'exec', 'calico-node', 'cat', '/VERSION'])).trim()

    await moveTo('v2.6.12')
    expect(await upgrade(support.image(tag))).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    expect(await version()).toBe('v2.6.12')
    await moveTo('v2.6.5')
    const moved = await support.costOf(at, () => upgrade(support.image(tag)))
    support.expectNoCost(moved)
    expect(moved.result).toMatchObject({ code: 0, report: { outcome: 'upgraded', changed: true } })
    expect(await version()).toBe('v2.6.5')
    expect(await upgrade(support.image(tag))).toMatchObject({ code: 0, report: { outcome: 'unchanged' } })
  })
})

describe('a disk that is full', () => {
  it('is a refusal that says so', async () => {
    const downloads = '/var/lib/docker/tmp'
    await host.ok(['mount', '-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', downloads])
    try {
      const cost = await support.costOf(at, () => upgrade(support.image('big')))
      support.expectNoCost(cost)
      support.expectRefused(cost.result, 'no-space')
    } finally {
      await host.ok(['umount', '--lazy', downloads])
    }
    await support.expectAsBefore(host, before)
  })

  it('is seen before the pull', async () => {
    // only the agent sees the small disk
    const small = 'mount -t tmpfs -o size=100m tmpfs /var/lib/docker && exec "$@"'
    const argv = ['agent', 'upgrade', '--node', support.image('big'), '--json']
    const { code, stdout } = await host.run(['unshare', '--mount', 'sh', '-c', small, 'sh', ...argv])
    const refused: support.AgentResult = {
      code,
      report: JSON.parse(stdout) as support.AgentResult['report'],
      stderr: '',
    }
    support.expectRefused(refused, 'no-space')
    expect(refused.report.problems[0]?.message).toMatch(/\/var\/lib\/docker has 1\d\d MB free/)
    await support.expectAsBefore(host, before)
  })
})
