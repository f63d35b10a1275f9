// BIRDs that are not the node's own: a neighbor that restarts at the same time, and one that runs on the host beside it.

import { afterEach, describe, expect, it } from 'vitest'
import type { DoctorReport } from '../../agent/core/report/doctor.ts'
import type { StatusReport } from '../../agent/core/report/status.ts'
import { type Host, nodeRunArgs, until } from '../lab/index.ts'
import * as support from './support.ts'

const [host, peer] = support.lab.workerMesh().hosts as [Host, Host]

describe('a neighbor that is in a restart of its own', () => {
  afterEach(() => peer.run(['docker', 'start', 'calico-node']))

  it('puts the upgrade off, and keeps its routes', { timeout: 180_000 }, async () => {
    const at = await support.world()
    const id = await support.nodeId(host)
    const route = async (): Promise<string> => await host.ok(['ip', 'route', 'show', peer.pod])
    const before = await route()
    expect(before).toContain('proto bird')

    const { result, withdrawn } = await support.costOf(at, async () => {
      await peer.ok(['docker', 'kill', 'calico-node'])
      const restarting = async () => (await host.birdc('show protocols all')).join('\n').includes(RESTARTING)
      await until('BIRD to notice', restarting)
      const upgrade = await support.agent(host, 'upgrade', '--node', support.image('v2.6.12'))
      const doctor = await host.run(['agent', 'doctor', '--json'])
      const meanwhile = await route()
      await peer.ok(['docker', 'start', 'calico-node'])
      return { upgrade, doctor: JSON.parse(doctor.stdout) as DoctorReport, meanwhile }
    })
    const { code, report } = result.upgrade
    expect({ code, outcome: report.outcome, changed: report.changed }).toEqual({
      code: 75,
      outcome: 'deferred',
      changed: false,
    })
    expect(report.problems).toMatchObject([{ code: 'peer-restarting', severity: 'error' }])
    expect(report.problems[0]?.message).toMatch(/for at most \d+ s more/)
    expect(result.doctor.checks).toContainEqual(
      expect.objectContaining({ code: 'peer-restarting', passes: false }),
    )
    expect(result.meanwhile).toBe(before)
    expect(withdrawn).toEqual([])
    expect(await support.nodeId(host)).toBe(id)
  })

  const RESTARTING = 'Neighbor graceful restart active'
})

describe("a BIRD of the host's own", () => {
  afterEach(async () => {
    await host.run(['docker', 'rm', '-f', 'foreign-bird', 'calico-node'])
    await host.run(['rm', '-rf', '/run/bird'])
  })

  it('is not taken for the one in a container that shares no socket', { timeout: 120_000 }, async () => {
    const { mesh } = await support.world()
    const at = '/run/bird'
    await host.writeFile(`${at}/bird.conf`, 'router id 192.0.2.200;\nprotocol device { }\n')
    const bird = ['bird', '-f', '-s', `${at}/bird.ctl`, '-P', `${at}/bird.pid`, '-c', `${at}/bird.conf`]
    const run = ['docker', 'run', '-d', '--name=foreign-bird', '-v', `${at}:${at}`, '--entrypoint', 'bird']
    await host.ok([...run, support.image('v2.6.5'), ...bird.slice(1)])
    await until('the other BIRD', () => host.exists(`${at}/bird.ctl`))

    await host.ok(['docker', 'rm', '-f', 'calico-node'])
    await host.ok(['rm', '-f', '/run/calico/bird.ctl', '/run/calico/bird6.ctl'])
    const shares = nodeRunArgs(host, mesh.nodeOptions(host))
    const socket = shares.findIndex((word) => word.startsWith('/var/run/calico:'))
    await host.ok(shares.toSpliced(socket - 1, 2))

    const seen = async () => JSON.parse(await host.ok(['agent', 'status', '--json'])) as StatusReport
    const isUp = async () => (await seen()).bird?.[0]?.sessions[0]?.established === true
    await until('the session', isUp, { everyMs: 1_000 })
    expect((await seen()).bird).toMatchObject([{ family: 4, via: 'exec' }])
  })
})
