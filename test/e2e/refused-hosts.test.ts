// Hosts that this agent leaves alone, and hosts where it can tell nothing.

import { describe, expect, it } from 'vitest'
import { type Host, type NodeOptions, nodeRunArgs } from '../lab/index.ts'
import { expectRefusal, type Refusal, snapshot } from './refusal.ts'
import { agent, costOf, expectNoCost, image, world } from './support.ts'

const UNIT = `[Service]
ExecStart=/etc/calico/start
ExecStop=-/usr/bin/docker kill calico-node
`

describe('a host is refused', () => {
  const script = (host: Host, options: NodeOptions): string => {
    const args = nodeRunArgs(host, { ...options, policy: undefined, args: ['--rm'] })
    return `#!/bin/sh\nexec ${args.filter((arg) => arg !== '--detach').join(' ')}\n`
  }

  const starter = {
    key: 'script of a unit',
    start: async (host: Host, options: NodeOptions) => {
      await host.writeFile('/etc/calico/start', script(host, options), 0o755)
      await host.writeFile('/etc/systemd/system/calico-node.service', UNIT)
      await host.ok(['systemctl', 'daemon-reload'])
      await host.ok(['systemctl', 'start', 'calico-node'])
    },
  }

  it.each<[string, Parameters<typeof world>[0], Refusal]>([
    [
      'as its container belongs to kubelet',
      { args: ['--label=io.kubernetes.pod.name=calico-node-x7k2p'] },
      {
        code: 3,
        problem: 'hosted-install',
        says: 'Kubernetes manages it',
        fix: 'set kubernetes in the config',
      },
    ],
    [
      'as a systemd unit runs its container by a script',
      { starter },
      {
        code: 3,
        problem: 'systemd-owned',
        says: 'the agent cannot change: /etc/calico/start: exec docker run --net=host',
        fix: 'change ExecStart= to a docker run command',
      },
    ],
  ])('%s', async (_why, options, refusal) => {
    const at = await world(options)
    const { host } = at
    const before = await snapshot(host)
    const cost = await costOf(at, () => agent(host, 'upgrade', '--node', image('v2.6.12')))
    expectNoCost(cost)
    expectRefusal(cost.result, refusal)
    expect(await snapshot(host)).toEqual(before)
  })

  it('as its BIRD died and left its socket', async () => {
    const at = await world()
    const { host } = at
    const inNode = (...argv: string[]) => host.ok(['docker', 'exec', 'calico-node', ...argv])
    const cost = await costOf(at, async () => {
      await inNode('killall', '-STOP', 'runsv')
      await inNode('killall', '-KILL', 'bird')
      const result = await agent(host, 'upgrade', '--node', image('v2.6.12'))
      await inNode('killall', '-CONT', 'runsv')
      return result
    })
    expectNoCost(cost)
    expectRefusal(cost.result, {
      code: 3,
      problem: 'bird-down',
      says: 'bird.ctl: nothing listens on it: a BIRD that died left it behind',
      fix: '--allow bird-down',
    })
  })

  it('as its Docker does not run', async () => {
    const at = await world()
    const { host } = at
    const cost = await costOf(at, async () => {
      await host.ok(['systemctl', 'stop', 'docker.socket', 'docker'])
      const result = await agent(host, 'upgrade', '--node', image('v2.6.12'))
      const status = await host.run(['agent', 'status'])
      await host.ok(['systemctl', 'start', 'docker.socket', 'docker'])
      return { ...result, status }
    })
    expectNoCost(cost)
    expectRefusal(cost.result, {
      code: 3,
      problem: 'docker-unreachable',
      says: 'cannot reach Docker at /var/run/docker.sock',
      fix: 'systemctl start docker',
    })
    expect(cost.result.status.code).toBe(3)
    expect(cost.result.status.stdout + cost.result.status.stderr).toContain('systemctl start docker')
  })
})
