import { isSameJson } from './same.ts'
import { type JsonNode, memberOf } from './text.ts'

/** A JSON value as the config gives it. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** What a merge patch makes of nothing: itself without its nulls (RFC 7386 section 2). */
export function patchOfNothing(patch: Json): Json {
  if (!isJsonObject(patch)) return patch
  const kept = Object.entries(patch).filter(([, value]) => value !== null)
  return Object.fromEntries(kept.map(([key, value]) => [key, patchOfNothing(value)]))
}

/** The merge patch that makes one object of the other. */
export function patchBetween(from: Json, to: Json): Json {
  if (!isJsonObject(from) || !isJsonObject(to)) return to
  const gone = Object.keys(from).filter((key) => !(key in to))
  const changed = Object.entries(to).filter(([key, value]) => !isSameJson(from[key], value))
  return Object.fromEntries([
    ...gone.map((key): [string, Json] => [key, null]),
    ...changed.map(([key, value]): [string, Json] => [key, patchBetween(from[key] ?? null, value)]),
  ])
}

export function isJsonObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether the text says the same value already, whatever it looks like. */
export function hasValue(node: JsonNode, value: Json): boolean {
  if (node.kind === 'scalar') return node.value === value
  if (node.kind === 'array') {
    const { items } = node
    return (
      Array.isArray(value) &&
      items.length === value.length &&
      value.every((item, i) => {
        const mine = items[i]
        return mine !== undefined && hasValue(mine, item)
      })
    )
  }
  if (!isJsonObject(value)) return false
  const entries = Object.entries(value)
  return (
    node.members.length === entries.length &&
    entries.every(([key, wanted]) => {
      const mine = memberOf(node, key)
      return mine !== undefined && hasValue(mine.value, wanted)
    })
  )
}
