import { AgentError } from '../errors.ts'

/** Of an object that is to be changed, and is not there. */
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
