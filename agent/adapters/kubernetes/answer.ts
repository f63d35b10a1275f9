import { AgentError } from '../../core/errors.ts'
import { parsedObject } from '../../core/json/parsed.ts'
import { forbidden } from './access.ts'
import type { Credential } from './credential.ts'
import { groupVersionOf, type NamedKind } from './paths.ts'

export interface Call {
  /** As RBAC names it. */
  verb: 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete'
  path: string
  ref: NamedKind
  body?: unknown
  /** Of the body; JSON by default. */
  type?: string
  /** Null is the answer where the API server does not serve the path. */
  mayBeUnserved?: true
}

export interface Answer {
  status: number
  text: string
}

/** As the API server words it (k8s.io/apiserver, webhook/errors). */
const WEBHOOK_FAILED = 'failed calling webhook'

/** What the API server says, in plain text, of a path under a group and version that it does not serve. */
const NO_SUCH_PATH = '404 page not found'

/** The object of an answer; null where there is none. @throws AgentError, see the port */
export function objectOf(call: Call, answer: Answer, credential: Credential): unknown {
  const { status } = answer
  const body = parsedObject(answer.text)
  if (status === 404 && isStatus(body)) return null
  if (status === 404 && answer.text.trim() === NO_SUCH_PATH) {
    if (call.mayBeUnserved) return null
    refuseUnserved(call)
  }
  const isOther = isStatus(body) && call.verb !== 'delete'
  if (body === undefined || (status < 400 && isOther) || status === 404)
    throw unreachable(credential, `it answers with ${status}, but not like a Kubernetes API server`)
  if (status < 300) return body
  throw failure(call, status, isStatus(body) ? body.message : answer.text, credential)
}

/** The core is served by every API server: whoever has not even that is something else. */
function refuseUnserved(call: Call): void {
  const group = groupVersionOf(call.path)
  if (group === null) return
  throw new AgentError(
    'kubernetes-refused',
    `cannot ${textOf(call)}: this API server has no ${group.name} (Kubernetes ${group.since} or later)`,
    {
      fix: `kubectl version shows which release it is: upgrade it, or take what needs a ${call.ref.kind} out of the config`,
      // one that has just started says so as well, until it has installed its groups
      isTransient: true,
    },
  )
}

function failure(call: Call, status: number, said: string, credential: Credential): AgentError {
  const { verb, ref } = call
  const what = textOf(call)
  if (status === 401) {
    return new AgentError(
      'kubernetes-credential',
      `cannot ${what}: ${credential.server} does not accept the credential of ${credential.origin} (401)`,
      { fix: `renew it, or set another one with kubernetes.kubeconfig` },
    )
  }
  if (status === 403) return forbidden(verb, ref, said)
  if (status === 409) {
    return new AgentError('kubernetes-conflict', `cannot ${what}: ${said}`, {
      fix: 'run it again: someone else changed the object at the same time',
      isTransient: true,
    })
  }
  if (status >= 500 && said.includes(WEBHOOK_FAILED)) {
    return new AgentError('kubernetes-refused', `cannot ${what}: ${said}`, {
      fix: 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations lists the webhooks: repair the one that the message names',
      isTransient: true,
    })
  }
  if (status === 429 || status >= 500) return unreachable(credential, `it answers with ${status}: ${said}`)
  return new AgentError(
    'kubernetes-refused',
    `cannot ${what}: the API server answered with ${status}: ${said}`,
    { fix: 'check the message of the API server' },
  )
}

function textOf({ verb, ref }: Call): string {
  return `${verb} ${ref.kind}${ref.name === '' ? 's' : ` ${ref.name}`}`
}

export function unreachable({ server, origin }: Credential, why: string): AgentError {
  const how = origin.startsWith('/') ? `kubectl --kubeconfig ${origin}` : 'kubectl'
  return new AgentError('kubernetes-unreachable', `cannot reach the Kubernetes API at ${server}: ${why}`, {
    fix: `${how} get --raw /version shows whether it answers`,
    isTransient: true,
  })
}

export function noNamespace({ kind, namespace = '' }: Pick<NamedKind, 'kind' | 'namespace'>): AgentError {
  return new AgentError('kubernetes-gone', `cannot create ${kind}: there is no namespace ${namespace}`, {
    fix: `kubectl create namespace ${namespace}`,
  })
}

/** metav1.Status, by which the API server tells an error. */
function isStatus(body: unknown): body is { message: string } {
  return (body as { kind?: unknown } | undefined)?.kind === 'Status'
}
