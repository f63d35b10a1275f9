import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EtcdClient } from '../../agent/adapters/fleet/etcd/client.ts'
import { createEtcdStore } from '../../agent/adapters/fleet/etcd/store.ts'
import { fleetContract } from '../contract/fleet-contract.ts'
import { fleetStoreContract } from '../contract/fleet-store-contract.ts'
import { answering } from './any-server.ts'
import { EtcdCluster } from './etcd-cluster.ts'
import { hostOn } from './group-on.ts'

let three: EtcdCluster
let groups = 0
const newGroup = (): string => `group-${++groups}`

beforeAll(async () => {
  three = await EtcdCluster.start({ members: 3, tls: true })
})
afterAll(() => three.stop())

const config = () => ({ endpoints: three.endpoints, ...three.identity })

fleetStoreContract('etcd, three members with TLS', () =>
  Promise.resolve(createEtcdStore(config(), newGroup())),
)

fleetContract('etcd, three members with TLS', () => {
  const group = newGroup()
  return Promise.resolve((name) => hostOn(createEtcdStore(config(), group), name))
})

describe('etcd', () => {
  it('is asked by another member where one is away, or hangs', async () => {
    const store = createEtcdStore(config(), newGroup())
    const leader = await three.leader()
    await three.pause(leader)
    try {
      const { version } = await store.read()
      expect(await store.write('one', version, '')).toBe(true)
    } finally {
      three.unpause(leader)
    }
    expect((await store.read()).text).toBe('one')
  })

  it('answers nobody without its majority, and says so with the code for later', async () => {
    const store = createEtcdStore(config(), newGroup())
    await three.pause(0)
    await three.pause(1)
    try {
      await expect(store.read()).rejects.toMatchObject({
        code: 'fleet-unreachable',
        exitCode: 75,
        message: expect.stringContaining('did not answer within 5 s') as string,
      })
    } finally {
      three.unpause(0)
      three.unpause(1)
    }
  })

  it('goes on watching when the old revisions are compacted', async () => {
    const store = createEtcdStore(config(), newGroup())
    await store.write('one', (await store.read()).version, '')
    const client = new EtcdClient(config())
    const put = await client.call('/kv/put', { key: 'c29tZXRoaW5n', value: 'ZWxzZQ==' })
    const { revision } = (put as { header: { revision: string } }).header
    await client.call('/kv/compaction', { revision })
    const end = new AbortController()
    for await (const { text } of store.watch(end.signal)) {
      expect(text).toBe('one')
      break
    }
    end.abort()
  })
})

describe('an etcd with users', () => {
  let one: EtcdCluster
  let directory: string
  const as = (user: string, passwordFile = join(directory, 'password')) =>
    createEtcdStore({ endpoints: one.endpoints, user, passwordFile }, newGroup())

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'etcd-users-'))
    await writeFile(join(directory, 'password'), 'secret\n')
    await writeFile(join(directory, 'wrong'), 'wrong\n')
    one = await EtcdCluster.start()
    await addUsers(new EtcdClient({ endpoints: one.endpoints }))
  })
  afterAll(async () => {
    await one.stop()
    await rm(directory, { recursive: true })
  })

  it('is used with a name and a password, and again when it has forgotten its tokens', async () => {
    const store = as('agent')
    const { version } = await store.read()
    expect(await store.write('one', version, '')).toBe(true)
    await one.killMember(0)
    await one.startMember(0)
    expect((await store.read()).text).toBe('one')
  })

  it.each([
    ['no user', () => createEtcdStore({ endpoints: one.endpoints }, 'g'), 'fleet-credential'],
    ['a wrong password', () => as('agent', join(directory, 'wrong')), 'fleet-credential'],
    ['no file with a password', () => as('agent', '/nowhere'), 'fleet-credential'],
    ['a user without the right', () => as('stranger'), 'fleet-forbidden'],
  ])('is not used with %s', async (_, store, code) => {
    const error: unknown = await store()
      .read()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, exitCode: 3 })
    expect(String(error)).not.toContain('wrong\n')
  })
})

/** One that may use the keys of the agent, and one that may nothing. */
async function addUsers(client: EtcdClient): Promise<void> {
  const prefix = Buffer.from('calico-agent/').toString('base64')
  const end = Buffer.from('calico-agent0').toString('base64')
  await client.call('/auth/role/add', { name: 'agents' })
  const perm = { permType: 'READWRITE', key: prefix, range_end: end }
  await client.call('/auth/role/grant', { name: 'agents', perm })
  for (const [name, role] of [
    ['root', 'root'],
    ['agent', 'agents'],
    ['stranger', null],
  ] as const) {
    await client.call('/auth/user/add', { name, password: 'secret' })
    if (name === 'root') await client.call('/auth/role/add', { name: 'root' })
    if (role !== null) await client.call('/auth/user/grant', { user: name, role })
  }
  await client.call('/auth/enable', {})
}

describe('an etcd that cannot be used', () => {
  const failing = async (changes: object): Promise<unknown> =>
    await createEtcdStore({ ...config(), ...changes }, newGroup())
      .read()
      .catch((error: unknown) => error)

  it.each([
    ['a CA that is not its own', { ca: '/etc/ssl/certs/ca-certificates.crt' }, 'fleet-certificate'],
    ['no CA', { ca: undefined }, 'fleet-certificate'],
    ['no certificate of a client', { cert: undefined, key: undefined }, 'fleet-certificate'],
    ['a file that is not there', { ca: '/nowhere' }, 'fleet-credential'],
    ['a file that is not PEM', { ca: '/etc/hostname' }, 'fleet-credential'],
  ])('for %s', async (_, changes, code) => {
    expect(await failing(changes)).toMatchObject({ code, exitCode: 3 })
  })

  it.each([
    ['HTML', 200, '<html>welcome</html>', 'fleet-not-etcd'],
    ['JSON of something else', 200, '{"name":"registry"}', 'fleet-not-etcd'],
    ['an old etcd', 200, '{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}', 'fleet-etcd-version'],
    ['etcd 3.1, without the gateway', 200, '{"etcdserver":"3.1.20"}', 'fleet-etcd-version'],
  ])('for a server that answers %s', async (_, status, body, code) => {
    const error = await answering(status, body, (url) =>
      failing({ endpoints: [url], ca: undefined, cert: undefined, key: undefined }),
    )
    expect(error).toMatchObject({ code, exitCode: 3 })
  })

  it('for a port where nothing listens', async () => {
    expect(await failing({ endpoints: ['http://127.0.0.1:1'] })).toMatchObject({
      code: 'fleet-unreachable',
      exitCode: 75,
    })
  })
})
