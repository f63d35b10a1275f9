import { isSameJson } from '../json/same.ts'
import type { FieldOwner, ManagedFields } from './object.ts'

/** A field that is asked for otherwise than somebody else has set it. */
export interface FieldConflict {
  /** As the API server names who set it, such as `kubectl-edit`. */
  manager: string
  field: string
}

/** The agent, and kubectl where it applies: what the manifest before has set is no conflict. */
export const APPLIERS = ['calico-agent', 'kubectl', 'kubectl-client-side-apply', 'before-first-apply']

/** Fields of a template that a manager other than `APPLIERS` has set, and that the manifest would change or remove. */
export function foreignFields(owners: FieldOwner[], was: unknown, to: unknown): FieldConflict[] {
  return owners.flatMap(({ manager = '', fieldsV1 }) => {
    const template = fieldsV1?.['f:spec']?.['f:template']?.['f:spec']
    if (template === undefined || APPLIERS.includes(manager)) return []
    return pathsIn(template)
      .filter((path) => !isSameJson(valueAt(was, path), valueAt(to, path)))
      .map((path) => ({ manager, field: `spec.template.spec${path.map(stepText).join('')}` }))
  })
}

/** As short as they can be: an item of a list that is somebody's as a whole is one. */
function pathsIn(fields: ManagedFields, path: string[] = []): string[][] {
  const steps = Object.keys(fields).filter((key) => key !== '.')
  if (path.length > 0 && ('.' in fields || steps.length === 0)) return [path]
  return steps.flatMap((step) => pathsIn(fields[step] ?? {}, [...path, step]))
}

function valueAt(value: unknown, [step, ...rest]: string[]): unknown {
  if (step === undefined || value === undefined) return value
  return valueAt(childOf(value, step), rest)
}

function childOf(value: unknown, step: string): unknown {
  const [kind, name] = [step.slice(0, 2), step.slice(2)]
  if (kind === 'f:') return (value as Record<string, unknown>)[name]
  if (kind !== 'k:' || !Array.isArray(value)) return undefined
  const keys = Object.entries(JSON.parse(name) as Record<string, unknown>)
  return (value as Record<string, unknown>[]).find((item) =>
    keys.every(([key, wanted]) => item[key] === wanted),
  )
}

function stepText(step: string): string {
  if (step.startsWith('f:')) return `.${step.slice(2)}`
  return `[${step.slice(3, -1)}]`
}
