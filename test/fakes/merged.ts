import { AgentError } from '../../agent/core/errors.ts'
import { isJsonObject, type Json } from '../../agent/core/json/merge-patch.ts'

/** What a merge patch makes of a value. */
export function merged(target: Json, patch: Json): Json {
  if (!isJsonObject(patch)) return patch
  const result = isJsonObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key)
    else result[key] = merged(result[key] ?? null, value)
  }
  return result
}

export function refused(code: string, why: string): AgentError {
  return new AgentError(code, `cannot patch: ${why}`, { fix: 'look at it' })
}
