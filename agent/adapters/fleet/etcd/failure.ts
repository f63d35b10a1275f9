import { AgentError, ExitCode } from '../../../core/errors.ts'
import { parsedObject } from '../../../core/json/parsed.ts'
import type { HttpAnswer } from '../../http.ts'

/** Where all keys of the agent are; roles are granted on it. */
export const KEY_PREFIX = 'calico-agent/'

/** gRPC's codes, as the gateway passes them on. */
const INVALID_ARGUMENT = 3
const PERMISSION_DENIED = 7
const UNAUTHENTICATED = 16

/** This member cannot answer, another one may. */
export class MemberError extends Error {}

/** The token has expired, or another member issued it. */
export class TokenError extends Error {}

interface Said {
  code?: unknown
  /** gRPC's message; `message` repeats it, from 3.3 on. */
  error?: unknown
}

/** The body of a good answer. @throws AgentError, MemberError, TokenError */
export function bodyOf({ status, text }: HttpAnswer, endpoint: string): unknown {
  const body = parsedObject(text)
  if (body === undefined) throw notEtcd(endpoint, `it answers with ${status}, and not as etcd does`)
  if (status === 200) return body
  throw failureOf(body, status, endpoint)
}

/** The error of an answer, or of a stream that has begun. */
export function failureOf(said: Said, status: number, endpoint: string): Error {
  const message = typeof said.error === 'string' ? said.error : `status ${status}`
  if (status === 404) return tooOld(endpoint, 'it does not serve the v3 API')
  if (said.code === UNAUTHENTICATED) return new TokenError(message)
  if (said.code === PERMISSION_DENIED) return forbidden(endpoint, message)
  if (said.code === INVALID_ARGUMENT) return badCredential(endpoint, message)
  return new MemberError(message)
}

export function tooOld(endpoint: string, why: string): AgentError {
  return new AgentError('fleet-etcd-version', `cannot use the etcd at ${endpoint}: ${why}`, {
    fix: 'the fleet needs etcd 3.2 or later, with its gRPC gateway (--enable-grpc-gateway, on by default)',
  })
}

export function notEtcd(endpoint: string, why: string): AgentError {
  return new AgentError('fleet-not-etcd', `cannot use ${endpoint} as etcd: ${why}`, {
    fix: `curl ${endpoint}/version shows what answers there; correct fleet.etcd.endpoints`,
  })
}

function forbidden(endpoint: string, message: string): AgentError {
  return new AgentError('fleet-forbidden', `cannot use the etcd at ${endpoint}: ${message}`, {
    fix: `ETCDCTL_API=3 etcdctl role grant-permission ROLE --prefix=true readwrite ${KEY_PREFIX} grants its user the right`,
  })
}

/** Also where etcd wants a user, and none was named: "user name is empty". */
function badCredential(endpoint: string, message: string): AgentError {
  return new AgentError('fleet-credential', `cannot log in to the etcd at ${endpoint}: ${message}`, {
    fix: 'set fleet.etcd.user and fleet.etcd.passwordFile to a user of it',
  })
}

/** One side of TLS does not accept the other's certificate. */
export function badCertificate(endpoint: string, why: string): AgentError {
  return new AgentError('fleet-certificate', `cannot use the etcd at ${endpoint}: ${why}`, {
    fix: `curl --cacert CA --cert CERT --key KEY ${endpoint}/version shows it; correct fleet.etcd.ca, cert and key`,
  })
}

/** By the codes of Node and OpenSSL. */
export function isCertificateFault(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return (
    typeof code === 'string' &&
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET|ERR_SSL_.*ALERT|ERR_OSSL|KEY_VALUES_MISMATCH/.test(code)
  )
}

export function unreachable(failures: Map<string, string>): AgentError {
  const reasons = [...failures].map(([endpoint, why]) => `${endpoint}: ${why}`)
  const [first] = failures.keys()
  return new AgentError('fleet-unreachable', `cannot reach etcd: ${reasons.join('; ')}`, {
    fix: `curl ${first ?? 'ENDPOINT'}/health shows whether it answers; nobody starts before it does`,
    exitCode: ExitCode.deferred,
    isTransient: true,
  })
}
