import { AgentError } from '../../core/errors.ts'
import type { Kind, ObjectRef } from '../../ports/kubernetes.ts'
import { type NamedKind, resourceOf, resourceText } from './paths.ts'

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

/** By admission, such as NodeRestriction, which no role overrides; or by RBAC, with the command that grants it. */
export function forbidden(verb: string, { kind, name, resource: own }: NamedKind, said: string): AgentError {
  const resource = own ?? resourceText(kind as Kind)
  const isAdmission = said.includes('is forbidden') && !said.includes(`cannot ${verb} resource`)
  const grant = `grant it: kubectl create clusterrole calico-agent-${verb}-${resource} --verb=${verb} --resource=${resource}; then bind it to the user of the credential: kubectl create clusterrolebinding`
  const node = kind === 'Node' ? "use the credential of this host's kubelet, or " : ''
  return new AgentError(
    'kubernetes-forbidden',
    `cannot ${verb} ${kind}${name === '' ? 's' : ` ${name}`}: ${said}`,
    {
      fix: `${node}${isAdmission ? 'change the policy that the message names' : grant}`,
    },
  )
}
