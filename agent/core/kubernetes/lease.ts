import { AgentError, ExitCode } from '../errors.ts'
import type { Halt, Turn, TurnEnd } from '../fleet.ts'
import type { Json } from '../json/merge-patch.ts'
import { annotationOf, type Namespaced } from './object.ts'

/** What the agent reads of a Lease (coordination.k8s.io/v1). */
export interface LeaseObject {
  metadata: Namespaced & { resourceVersion: string; annotations?: Record<string, string> }
  spec?: { holderIdentity?: string | null; acquireTime?: string | null }
}

/** The run that the holder took the Lease for. */
const RUN_ANNOTATION = 'calico-agent/run'
/** Which host failed with which target: no other one starts with it. */
const HALT_ANNOTATION = 'calico-agent/halted'

/** The host that asks for the Lease, and when. */
interface Asking extends Turn {
  host: string
  now: Date
}

/** A Lease that this host holds. */
export function newLease({ namespace, name }: Namespaced, asking: Asking): Json {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace, name, annotations: { [RUN_ANNOTATION]: asking.run } },
    spec: holding(asking),
  }
}

/**
 * The merge patch that takes the Lease for this host, refused where it has changed since.
 * @throws AgentError `lease-held`, `fleet-halted`
 */
export function takePatch(lease: LeaseObject, asking: Asking): Json {
  const holder = lease.spec?.holderIdentity ?? ''
  if (holder !== '' && holder !== asking.host) throw held(lease, holder)
  const halt = haltOf(lease)
  // on the host that failed an operator may try again
  if (halt?.target === asking.target && halt.host !== asking.host) throw halted(lease, halt)
  return { metadata: metaOf(lease, { [RUN_ANNOTATION]: asking.run }), spec: holding(asking) }
}

/** The patch that gives the Lease back; null where this host does not hold it. */
export function giveBackPatch(lease: LeaseObject, host: string, end: TurnEnd): Json | null {
  if (lease.spec?.holderIdentity !== host) return null
  const marks = { [RUN_ANNOTATION]: null, ...haltMark(lease, host, end) }
  return { metadata: metaOf(lease, marks), spec: { holderIdentity: null, acquireTime: null } }
}

/** A success lifts the halt of its own target only, and only in the turn that it was made in. */
function haltMark(lease: LeaseObject, host: string, end: TurnEnd): Record<string, string | null> {
  if (end === 'untouched') return {}
  const { run, target, reason } = end
  if (reason !== null)
    return { [HALT_ANNOTATION]: JSON.stringify({ host, run, target, reason } satisfies Halt) }
  const lifts = runOf(lease) === run && haltOf(lease)?.target === target
  return lifts ? { [HALT_ANNOTATION]: null } : {}
}

function metaOf({ metadata }: LeaseObject, annotations: Record<string, string | null>): Json {
  return { resourceVersion: metadata.resourceVersion, annotations }
}

/** The API server wants a time with six digits of a second (metav1.MicroTime). */
function holding({ host, now }: Asking): Json {
  return { holderIdentity: host, acquireTime: now.toISOString().replace('Z', '000Z') }
}

function runOf({ metadata }: Pick<LeaseObject, 'metadata'>): string | undefined {
  return metadata.annotations?.[RUN_ANNOTATION]
}

function haltOf({ metadata }: LeaseObject): Halt | null {
  return annotationOf(metadata, HALT_ANNOTATION) as Halt | null
}

function held({ metadata, spec }: LeaseObject, holder: string): AgentError {
  const run = runOf({ metadata })
  const since = spec?.acquireTime?.replace(/\.\d+/, '')
  return new AgentError(
    'lease-held',
    `cannot start: ${holder} has held ${nameOf(metadata)}${run === undefined ? '' : `, for run ${run},`} since ${since ?? 'an unknown time'}`,
    {
      fix: `wait until its run ends; if that is stuck, settle ${holder} by hand; if ${holder} never comes back: ${deletion(metadata)}`,
      exitCode: ExitCode.deferred,
    },
  )
}

function halted({ metadata }: LeaseObject, { host, run, target, reason }: Halt): AgentError {
  return new AgentError(
    'fleet-halted',
    `cannot start: ${host} failed with ${target} in run ${run}: ${reason}`,
    {
      fix: `ask for another target, run agent upgrade on ${host} until it succeeds, or let the others go on: ${deletion(metadata)}`,
      exitCode: ExitCode.deferred,
    },
  )
}

export function nameOf({ namespace, name }: Namespaced): string {
  return `Lease ${namespace}/${name}`
}

export function deletion({ namespace, name }: Namespaced): string {
  return `kubectl -n ${namespace} delete lease ${name}`
}
