import type { RequestOptions } from 'node:https'
import { AgentError } from '../../../core/errors.ts'
import { readText } from '../../read-file.ts'

/** `fleet.etcd` of the config; files are PEM. */
export interface EtcdConfig {
  endpoints: string[]
  ca?: string | undefined
  cert?: string | undefined
  key?: string | undefined
  user?: string | undefined
  passwordFile?: string | undefined
}

/** A bundle of authorities takes some 200 kB. */
const MAX_BYTES = 4 * 1024 * 1024

/** What TLS needs; read again for each connection, as certificates are renewed. @throws AgentError `fleet-credential` */
export async function tlsOf({
  ca,
  cert,
  key,
}: EtcdConfig): Promise<Pick<RequestOptions, 'ca' | 'cert' | 'key'>> {
  return {
    ...(ca !== undefined && { ca: await pem('ca', ca) }),
    ...(cert !== undefined && { cert: await pem('cert', cert) }),
    ...(key !== undefined && { key: await pem('key', key) }),
  }
}

export async function passwordOf({ passwordFile }: EtcdConfig): Promise<string> {
  return passwordFile === undefined ? '' : (await read('passwordFile', passwordFile)).trimEnd()
}

async function pem(name: string, path: string): Promise<string> {
  const text = await read(name, path)
  if (text.includes('-----BEGIN ')) return text
  throw unusable(name, path, 'it is not PEM')
}

async function read(name: string, path: string): Promise<string> {
  const text = await readText(path, MAX_BYTES)
  if (text === undefined) throw unusable(name, path, 'no such file')
  return text
}

function unusable(name: string, path: string, why: string): AgentError {
  return new AgentError('fleet-credential', `cannot use ${path} for etcd: ${why}`, {
    fix: `set fleet.etcd.${name} to a file that root can read`,
  })
}
