import type { JsonNode } from './text.ts'

/** What Go's encoding/json is to decode a value into; members that `fields` does not name are ignored. */
export type GoType =
  | 'string'
  | 'int'
  | 'uint'
  | 'bool'
  | { listOf: GoType }
  | { mapOf: GoType }
  | { fields: Record<string, GoType> }

/** The first member that cannot be decoded: `"mtu" must be an integer, it is "1440"`; null where all can be. */
export function undecodable(node: JsonNode, type: GoType, path = ''): string | null {
  // null leaves whatever it is for as it was
  if (node.kind === 'scalar' && node.value === null) return null
  if (typeof type === 'string') return isScalar(node, type) ? null : wrong(path, wordOf[type], node)
  if ('listOf' in type) {
    if (node.kind !== 'array') return wrong(path, 'a list', node)
    return first(node.items, (item, i) => undecodable(item, type.listOf, `${path}[${i}]`))
  }
  if (node.kind !== 'object') return wrong(path, 'an object', node)
  return first(node.members, ({ key, value }) => {
    const next = 'mapOf' in type ? type.mapOf : fieldOf(type.fields, key)
    return next === undefined ? null : undecodable(value, next, path === '' ? key : `${path}.${key}`)
  })
}

/** Go takes a name in any case. */
function fieldOf(fields: Record<string, GoType>, key: string): GoType | undefined {
  const exact = Object.hasOwn(fields, key) ? fields[key] : undefined
  if (exact !== undefined) return exact
  return Object.entries(fields).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1]
}

function isScalar(node: JsonNode, type: 'string' | 'int' | 'uint' | 'bool'): boolean {
  if (node.kind !== 'scalar') return false
  if (type === 'string') return typeof node.value === 'string'
  if (type === 'bool') return typeof node.value === 'boolean'
  return typeof node.value === 'number' && isInteger(node.literal, type)
}

/** Go parses the digits as they stand (strconv.ParseInt, ParseUint): `1440.0` and `1e3` are none, nor is `-0` without a sign. */
function isInteger(literal: string, type: 'int' | 'uint'): boolean {
  if (!(type === 'int' ? /^-?\d+$/ : /^\d+$/).test(literal)) return false
  const value = BigInt(literal)
  return type === 'uint' ? value < 2n ** 64n : value >= -(2n ** 63n) && value < 2n ** 63n
}

const wordOf = {
  string: 'a string',
  int: 'an integer',
  uint: 'an integer of 0 or more',
  bool: 'true or false',
} as const

function wrong(path: string, word: string, node: JsonNode): string {
  return `${path === '' ? 'it' : JSON.stringify(path)} must be ${word}, but it is ${shown(node, word.startsWith('an integer'))}`
}

/** The value itself may be a secret. */
function shown(node: JsonNode, wantsInteger: boolean): string {
  if (node.kind !== 'scalar') return node.kind === 'array' ? 'a list' : 'an object'
  if (typeof node.value === 'number')
    return wantsInteger && /[.eE]/.test(node.literal) ? 'a number with a point or an exponent' : 'a number'
  return typeof node.value === 'string' ? 'a string' : 'a boolean'
}

function first<T>(list: T[], problemOf: (one: T, index: number) => string | null): string | null {
  for (const [i, one] of list.entries()) {
    const problem = problemOf(one, i)
    if (problem !== null) return problem
  }
  return null
}
