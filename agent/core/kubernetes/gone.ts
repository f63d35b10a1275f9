import { AgentError } from '../errors.ts'

/** The error for an object that the agent must change and that no longer exists. */
export function goneError({
  kind,
  namespace,
  name,
}: {
  kind: string
  namespace?: string
  name: string
}): AgentError {
  const what = namespace === undefined ? name : `${namespace}/${name}`
  return new AgentError('kubernetes-gone', `cannot change ${kind} ${what}: it no longer exists`, {
    fix: `check it with kubectl get ${kind.toLowerCase()}s -A`,
  })
}
