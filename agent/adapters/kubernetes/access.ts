import { AgentError } from '../../core/errors.ts'
import type { Kind, ObjectRef } from '../../ports/kubernetes.ts'
import { resourceOf, resourceText } from './paths.ts'

/** A SelfSubjectAccessReview (authorization/v1), which everybody may create. */
export interface AccessReview {
  status?: { allowed: boolean; reason?: string }
}

export const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'

export function reviewOf(verb: string, { kind, namespace, name }: ObjectRef<Kind>): unknown {
  const { group, resource } = resourceOf(kind)
  const resourceAttributes = { verb, group, resource, name, ...(namespace !== undefined && { namespace }) }
  return {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    spec: { resourceAttributes },
  }
}

/** With the command that grants it. */
export function forbidden(verb: string, { kind, name }: ObjectRef<Kind>, said: string): AgentError {
  const resource = resourceText(kind)
  const what = `${verb} ${kind}${name === '' ? 's' : ` ${name}`}`
  return new AgentError('kubernetes-forbidden', `cannot ${what}: ${said}`, {
    fix: `grant it to the credential: kubectl create clusterrole calico-agent-${verb}-${resource} --verb=${verb} --resource=${resource}, and bind it with kubectl create clusterrolebinding; a kubelet's credential may change its own Node alone`,
  })
}

/** An API server that knows no dry run carries the patch out: before 1.12, where it came, and in 1.12 with its gate off. */
export function knowsDryRun(version: { major?: string; minor?: string } | null): boolean {
  const [major, minor] = [version?.major, version?.minor].map((text) => Number.parseInt(text ?? '', 10))
  return major !== undefined && minor !== undefined && (major > 1 || (major === 1 && minor >= 13))
}
