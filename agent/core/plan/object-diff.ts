import { isJsonObject, type Json } from '../json/merge-patch.ts'
import type { PodTemplate } from '../kubernetes/pod.ts'
import { HIDDEN } from '../redact/names.ts'
import { redactArgs, redactValue } from '../redact/redact.ts'
import type { DiffEntry } from '../report/report.ts'

/** The fields that differ, a line each: `spec.template.spec.containers[calico-node].image: IMAGE`; secrets are hidden. */
export function objectDiff(target: string, before: Json | null, after: Json): DiffEntry[] {
  const [old, next] = [fieldsOf(before), fieldsOf(after)]
  const isOther = (one: Map<string, Field>) => (path: string) =>
    one.get(path)?.value !== other(one).get(path)?.value
  const other = (one: Map<string, Field>) => (one === old ? next : old)
  const gone = [...old.keys()].filter(isOther(old))
  const come = [...next.keys()].filter(isOther(next))
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
  const visit = (value: Json, path: string, name: string): void => {
    const children = childrenOf(value)
    for (const [step, child, of] of children) visit(child, joined(path, step), of ?? name)
    if (children.length > 0) return
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    // its annotations may have all of it once more
    const isHidden = isSecret && /^(?:data|stringData|metadata\.annotations)\b/.test(path)
    found.set(path, { value: text, shown: isHidden ? HIDDEN : redactValue(name, text) })
  }
  if (object !== null) visit(object, '', '')
  return found
}

type Child = [step: string, value: Json, name?: string]

function childrenOf(value: Json): Child[] {
  if (isTexts(value)) return redactArgs(value).map((text, i) => [`[${i}]`, text])
  if (Array.isArray(value)) return value.map(itemOf)
  if (!isJsonObject(value)) return []
  return Object.entries(value).map(([key, child]) => [key, child, key])
}

/** Such as a command line, of which a secret may be a word of its own. */
function isTexts(value: Json): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** By its name, where it has one: a variable of a container is a line. */
function itemOf(item: Json, index: number): Child {
  if (!isJsonObject(item) || typeof item['name'] !== 'string') return [`[${index}]`, item]
  const { name, ...rest } = item
  const isVariable = Object.keys(rest).join() === 'value'
  return [`[${name}]`, isVariable ? (rest['value'] ?? null) : rest, name]
}

function joined(path: string, step: string): string {
  return path === '' || step.startsWith('[') ? `${path}${step}` : `${path}.${step}`
}
