import { beforeAll, describe, expect, it } from 'vitest'
import type { StatusReport } from '../../agent/core/report/status.ts'
import { until } from '../lab/index.ts'
import * as support from './support.ts'

const ADDRESSES = ['2001:db8::1', '2001:db8::2']

/** Both hosts with an address and a peer of the other family, and a BIRD for it: BIRD 1.6 runs one a family. */
async function dualStack(): Promise<support.World> {
  const at = await support.world()
  const hosts = [at.host, at.peer]
  for (const [i, host] of hosts.entries()) {
    await host.ok(['sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=0'])
    await host.ok(['ip', '-6', 'address', 'replace', `${ADDRESSES[i] ?? ''}/64`, 'dev', 'eth0', 'nodad'])
    await host.ok(['docker', 'rm', '-f', 'calico-node'])
    const options = at.mesh.nodeOptions(host)
    const env = { IP6: ADDRESSES[i] ?? '', LAB_PEERS6: ADDRESSES[1 - i] ?? '' }
    await host.startNode({ ...options, env: { ...options.env, ...env } })
  }
  await until('the sessions of both families', () => bothRecovered(at))
  return at
}

async function bothRecovered({ host }: support.World): Promise<boolean> {
  const { bird } = JSON.parse(await host.ok(['agent', 'status', '--json'])) as StatusReport
  return (
    bird?.length === 2 &&
    bird.every(({ recovering, sessions }) => !recovering && sessions.every(({ established }) => established))
  )
}

describe('a host with an IPv4 and an IPv6 BIRD', () => {
  let at: support.World
  beforeAll(async () => {
    at = await dualStack()
  })

  it('is gated on both', async () => {
    await support.configure(at.host, { settle: 1 })
    const { result, ...cost } = await support.costOf(at, () =>
      support.agent(at.host, 'upgrade', '--node', support.image('v2.6.12')),
    )
    support.expectNoCost(cost)
    expect(result.report).toMatchObject({ outcome: 'upgraded', problems: [] })
    expect(await bothRecovered(at)).toBe(true)
    expect(await support.containers(at.host)).toContain('calico-node v2.6.12 running always')
  })
})
