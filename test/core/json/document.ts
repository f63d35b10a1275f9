import fc from 'fast-check'
import type { Json } from '../../../agent/core/json/merge-patch.ts'

/** RFC 7386 section 2 as it is written there, on plain values: what the text's edit is held against. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  const result = new Map(Object.entries(isObject(target) ? target : {}))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name)
    else result.set(name, mergePatch(result.get(name), value))
  }
  return Object.fromEntries(result)
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// Few names, so that a patch meets what is there.
const name = fc.constantFrom('type', 'mtu', 'ipam', 'policy', 'a "b"', '__proto__', '', '名')
const scalar = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.constant(null),
)

/** Not through an object literal, where `__proto__` is no member. */
const objectOf = (value: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc
    .uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 5 })
    .map((entries) => Object.fromEntries(entries))

export const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    objectOf(tie('value')),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
})).value

export const jsonObject = objectOf(json)

/** The value as somebody wrote it: any spaces between any two tokens. */
export function textOf(value: Json): fc.Arbitrary<string> {
  const tokens = [...tokensOf(value), '']
  const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/)
  return fc
    .array(space, { minLength: tokens.length, maxLength: tokens.length })
    .map((spaces) => tokens.map((token, i) => (spaces[i] ?? '') + token).join(''))
}

function tokensOf(value: Json): string[] {
  if (Array.isArray(value)) return ['[', ...separated(value.map(tokensOf)), ']']
  if (!isObject(value)) return [JSON.stringify(value)]
  const members = Object.entries(value).map(([key, item]) => [JSON.stringify(key), ':', ...tokensOf(item)])
  return ['{', ...separated(members), '}']
}

function separated(parts: string[][]): string[] {
  return parts.flatMap((part, i) => (i === 0 ? part : [',', ...part]))
}
