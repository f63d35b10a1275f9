import { Resolver } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Endpoint } from '../core/datastore/endpoint.ts'
import type { Datastore } from '../ports/datastore.ts'

export function createDatastore(): Datastore {
  return { dial, serviceRecords, parse }
}

async function dial(endpoint: Endpoint, deadlineMs: number): Promise<string | null> {
  return await new Promise((resolve) => {
    const socket = endpoint.tls ? tlsSocket(endpoint) : connect({ host: endpoint.host, port: endpoint.port })
    // a separate timer: name look-ups have no timeout of their own
    const deadline = setTimeout(() => {
      settle(`no answer within ${deadlineMs / 1000} s`)
    }, deadlineMs)
    const settle = (failure: string | null): void => {
      clearTimeout(deadline)
      socket.destroy()
      resolve(failure)
    }
    socket.on(endpoint.tls ? 'secureConnect' : 'connect', () => {
      settle(null)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      settle(failureOf(error))
    })
    socket.on('close', () => {
      settle('the connection was closed')
    })
  })
}

/** Certificates, and old versions of TLS, are for calico/node to judge. */
function tlsSocket({ host, port }: Endpoint): Socket {
  return connectTls({
    host,
    port,
    servername: isIP(host) === 0 ? host : '',
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
  })
}

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'no route to host',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'no DNS server answers',
}

/** A server that answers without TLS; any other TLS failure comes from a server that speaks TLS. */
const NO_TLS = ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST']

function failureOf({ code = '', message }: NodeJS.ErrnoException): string | null {
  if (NO_TLS.includes(code)) return 'it does not speak TLS'
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return null
  return WORDS[code] ?? (code || message)
}

async function serviceRecords(
  name: string,
  deadlineMs: number,
): Promise<Awaited<ReturnType<Datastore['serviceRecords']>>> {
  const resolver = new Resolver({ timeout: deadlineMs, tries: 1 })
  const deadline = setTimeout(() => {
    resolver.cancel()
  }, deadlineMs)
  try {
    return (await resolver.resolveSrv(name)).map(({ name: host, port }) => ({ host, port }))
  } catch {
    return []
  } finally {
    clearTimeout(deadline)
  }
}

async function parse(text: string): Promise<unknown> {
  const yaml = await import('yaml')
  try {
    return yaml.parse(text, { maxAliasCount: 100, logLevel: 'error' }) as unknown
  } catch {
    return undefined
  }
}
