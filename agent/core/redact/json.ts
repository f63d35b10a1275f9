import { type JsonNode, parseJson } from '../json/text.ts'
import type { DiffEntry } from '../report/report.ts'
import { redactValue } from './redact.ts'
import { redactText } from './text.ts'

/** A secret in the text: where it stands, what it is called and what is shown in its place. */
interface Secret {
  path: string
  start: number
  end: number
  shown: string
}

/** The diff of a JSON file, secrets hidden; one that changes is seen to change. */
export function redactedJsonDiff({ target, before, after }: DiffEntry): DiffEntry {
  const old = new Map(secretsIn(before).map(({ path, start, end }) => [path, before.slice(start, end)]))
  const changed = (secret: Secret): Secret => {
    const was = old.get(secret.path)
    const isNew = was !== undefined && was !== after.slice(secret.start, secret.end)
    return isNew ? { ...secret, shown: secret.shown.replace('<redacted>', '<redacted, changed>') } : secret
  }
  return {
    target,
    before: hidden(before, secretsIn(before)),
    after: hidden(after, secretsIn(after).map(changed)),
  }
}

/** A JSON value without its secrets, by the names of its fields as well. */
export function redactedJson(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return redactText(redactValue(name, value))
  if (Array.isArray(value)) return value.map((item) => redactedJson(item, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactedJson(inner, key)]))
}

function hidden(text: string, secrets: Secret[]): string {
  return secrets
    .sort((a, b) => b.start - a.start)
    .reduce((shown, { start, end, shown: by }) => shown.slice(0, start) + by + shown.slice(end), text)
}

function secretsIn(text: string): Secret[] {
  const found: Secret[] = []
  const visit = (node: JsonNode, name: string, path: string): void => {
    if (node.kind === 'object') for (const { key, value } of node.members) visit(value, key, `${path}/${key}`)
    if (node.kind === 'array') for (const [i, item] of node.items.entries()) visit(item, name, `${path}/${i}`)
    if (node.kind !== 'scalar' || node.value === null || typeof node.value === 'boolean') return
    const plain = String(node.value)
    const shown = redactText(redactValue(name, plain))
    if (shown !== plain) found.push({ path, start: node.start, end: node.end, shown: JSON.stringify(shown) })
  }
  visit(parseJson(text), '', '')
  return found
}
