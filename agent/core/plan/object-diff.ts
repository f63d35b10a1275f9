import { isJsonObject, type Json } from '../json/merge-patch.ts'
import type { PodTemplate } from '../kubernetes/pod.ts'
import { HIDDEN } from '../redact/names.ts'
import { redactArgs, redactValue } from '../redact/redact.ts'
import type { DiffEntry } from '../report/report.ts'

/** The fields that differ, a line each: `spec.template.spec.containers[calico-node].image: IMAGE`; secrets are hidden. */
export function objectDiff(target: string, before: Json | null, after: Json): DiffEntry[] {
  const [old, next] = [fieldsOf(before), fieldsOf(after)]
  const [gone, come] = [differing(old, next), differing(next, old)]
  if (gone.length + come.length === 0) return []
  const line = (path: string, shown: string | undefined): string => `${path}: ${shown ?? ''}\n`
  const afterLine = (path: string): string => {
    const shown = next.get(path)?.shown
    // a secret that changes looks the same
    return line(path, shown === old.get(path)?.shown ? `${shown ?? ''} (changed)` : shown)
  }
  return [
    {
      target,
      before: gone.map((path) => line(path, old.get(path)?.shown)).join(''),
      after: come.map(afterLine).join(''),
    },
  ]
}

/** Paths of the first that the second has otherwise, or not at all. */
function differing(one: Map<string, Field>, other: Map<string, Field>): string[] {
  return [...one].filter(([path, { value }]) => other.get(path)?.value !== value).map(([path]) => path)
}

/** The same of the template of a workload. */
export function templateDiff(target: string, before: PodTemplate, after: PodTemplate): DiffEntry[] {
  return objectDiff(target, before as unknown as Json, after as unknown as Json).map((entry) => ({
    ...entry,
    target: `${target}, template`,
  }))
}

/** A scalar of an object, or a list or an object without any; `shown` is without secrets. */
interface Field {
  value: string
  shown: string
}

function fieldsOf(object: Json | null): Map<string, Field> {
  const found = new Map<string, Field>()
  const isSecret = isJsonObject(object) && object['kind'] === 'Secret'
  const visit = (value: Json, path: string, name: string, word?: string): void => {
    const children = childrenOf(value)
    for (const child of children)
      visit(child.value, joined(path, child.step), child.name ?? name, child.shown)
    if (children.length > 0) return
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    // its annotations may have all of it once more
    const isHidden = isSecret && /^(?:data|stringData|metadata\.annotations)\b/.test(path)
    found.set(path, { value: text, shown: isHidden ? HIDDEN : (word ?? redactValue(name, text)) })
  }
  if (object !== null) visit(object, '', '')
  return found
}

interface Child {
  step: string
  value: Json
  name?: string
  /** Where it takes its neighbours to see a secret. */
  shown?: string
}

function childrenOf(value: Json): Child[] {
  if (isTexts(value)) {
    const shown = redactArgs(value)
    return value.map((text, i) => ({ step: `[${i}]`, value: text, shown: shown[i] ?? text }))
  }
  if (Array.isArray(value)) return value.map(itemOf)
  if (!isJsonObject(value)) return []
  return Object.entries(value).map(([key, child]) => ({ step: key, value: child, name: key }))
}

/** Such as a command line, of which a secret may be a word of its own. */
function isTexts(value: Json): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** By its name, where it has one: a variable of a container is a line. */
function itemOf(item: Json, index: number): Child {
  if (!isJsonObject(item) || typeof item['name'] !== 'string') return { step: `[${index}]`, value: item }
  const { name, ...rest } = item
  const isVariable = Object.keys(rest).join() === 'value'
  return { step: `[${name}]`, value: isVariable ? (rest['value'] ?? null) : rest, name }
}

function joined(path: string, step: string): string {
  return path === '' || step.startsWith('[') ? `${path}${step}` : `${path}.${step}`
}
