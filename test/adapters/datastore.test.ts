import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createDatastore } from '../../agent/adapters/datastore.ts'

const directory = mkdtempSync(join(tmpdir(), 'datastore-'))
const datastore = createDatastore()
let key: Buffer
let cert: Buffer

beforeAll(() => {
  const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  const pair = ['-newkey', 'rsa:2048', '-nodes', '-keyout', keyFile, '-out', certFile]
  execFileSync('openssl', ['req', '-x509', ...pair, '-subj', '/CN=etcd', '-days', '2'], { stdio: 'ignore' })
  key = readFileSync(keyFile)
  cert = readFileSync(certFile)
})
afterAll(() => {
  rmSync(directory, { recursive: true })
})

let server: Server | undefined
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server?.close()
})

async function listen(started: Server): Promise<number> {
  server = started
  started.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => {
    started.listen(0, '127.0.0.1', resolve)
  })
  return (started.address() as AddressInfo).port
}

const dial = (port: number, tls = false, deadlineMs = 10_000) =>
  datastore.dial({ shown: '', host: '127.0.0.1', port, tls }, deadlineMs)

const tlsServer = (options: TlsOptions = {}) =>
  createTlsServer({ key, cert, ...options }).on('tlsClientError', () => undefined)

describe('dial', () => {
  it('is content with a connection where no TLS is asked for', async () => {
    expect(await dial(await listen(createServer()))).toBeNull()
  })

  it('says why there is none', async () => {
    const port = await listen(createServer())
    server?.close()
    expect(await dial(port)).toBe('connection refused')
    const unknown = { shown: '', host: 'etcd.invalid', port: 2379, tls: false }
    expect(await datastore.dial(unknown, 10_000)).toMatch(/name/)
  })

  it.each<[string, TlsOptions]>([
    ['whose certificate nobody trusts', {}],
    ['that asks for a certificate', { requestCert: true, rejectUnauthorized: true }],
    [
      'that asks for a certificate, by TLS 1.2',
      { requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' },
    ],
    ['that speaks none of our ciphers', { ciphers: 'PSK', maxVersion: 'TLSv1.2' }],
  ])('takes a TLS server %s for alive', async (_, options) => {
    expect(await dial(await listen(tlsServer(options)), true)).toBeNull()
  })

  it('asks more of TLS than a connection', async () => {
    const silent = await listen(createServer())
    expect(await dial(silent, true, 300)).toBe('no answer within 0.3 s')
    server?.close()
    const closing = await listen(createServer((socket) => socket.end()))
    expect(await dial(closing, true)).toBe('the connection was closed')
    server?.close()
    const plain = await listen(
      createServer((socket) => socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))),
    )
    expect(await dial(plain, true)).toBe('it does not speak TLS')
  })
})

describe('parse', () => {
  it('takes YAML and JSON, and nothing else', async () => {
    expect(await datastore.parse('spec:\n  etcdEndpoints: http://a:1\n')).toEqual({
      spec: { etcdEndpoints: 'http://a:1' },
    })
    expect(await datastore.parse('{"a": [1]}')).toEqual({ a: [1] })
    expect(await datastore.parse('a: [')).toBeUndefined()
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdef'.split('').map((name, i) => {
        const before = 'abcdef'[i] ?? ''
        return `${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`
      }),
    ].join('\n')
    expect(await datastore.parse(bomb)).toBeUndefined()
  })
})

describe('serviceRecords', () => {
  it('has none of a name that is none', async () => {
    expect(await datastore.serviceRecords('_etcd-client._tcp.invalid', 1_000)).toEqual([])
  })
})
