import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEtcdStore } from '../../agent/adapters/fleet/etcd/store.ts'
import { createFleetLock } from '../../agent/adapters/fleet/fleetlock.ts'
import { fleetContract } from '../contract/fleet-contract.ts'
import { answering } from './any-server.ts'
import { EtcdCluster } from './etcd-cluster.ts'
import { FleetLockServer } from './fleetlock-server.ts'

const POLL_MS = 100

let etcd: EtcdCluster
let server: FleetLockServer
let groups = 0

beforeAll(async () => {
  etcd = await EtcdCluster.start()
  server = await FleetLockServer.start((group) => createEtcdStore({ endpoints: etcd.endpoints }, group))
})
afterAll(async () => {
  server.stop()
  await etcd.stop()
})

const hostOf = (url: string, group: string) => (name: string) =>
  createFleetLock({ url }, { group, host: () => Promise.resolve(name), pollMs: POLL_MS })

fleetContract('a FleetLock server', () => {
  groups += 1
  return Promise.resolve(hostOf(server.url, `group-${groups}`))
})

describe('a FleetLock server', () => {
  it('has nothing that shows the hosts, or halts them', () => {
    expect(hostOf(server.url, 'one')('host-1').control).toBeNull()
  })

  it('takes back no slot for a run: it may be of another one', async () => {
    const at = hostOf(server.url, 'two-runs')
    await at('host-1').take({ run: 'run-1', target: 't' })
    expect(await at('host-1').drop('run-2')).toBe(false)
    await expect(at('host-2').take({ run: 'run-3', target: 't' })).rejects.toMatchObject({
      code: 'slot-held',
    })
  })

  it.each([
    ['HTML', 200, '<html>welcome</html>', 'fleet-not-fleetlock'],
    ['HTML', 404, '<html>no such page</html>', 'fleet-not-fleetlock'],
    ['an error of its own', 500, '{"kind":"internal","value":"etcd is away"}', 'fleet-unreachable'],
  ])('that answers %s (%i)', async (_, status, body, code) => {
    await answering(status, body, async (url) => {
      const taking = hostOf(url, 'g')('host-1').take({ run: 'r', target: 't' })
      await expect(taking).rejects.toMatchObject({ code })
    })
  })

  it('that is away', async () => {
    const taking = hostOf('http://127.0.0.1:1', 'g')('host-1').take({ run: 'r', target: 't' })
    await expect(taking).rejects.toMatchObject({ code: 'fleet-unreachable', exitCode: 75 })
  })
})
