import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeIntoText } from '../../../agent/core/json/edit.ts'
import { isJsonObject, type Json } from '../../../agent/core/json/merge-patch.ts'
import { type JsonNode, parseJson } from '../../../agent/core/json/text.ts'
import { json, jsonObject, mergePatch, textOf } from './document.ts'

function merged(text: string, patch: Json): string {
  const root = parseJson(text)
  return mergeIntoText(text, root, root, patch)
}

const parsed = (text: string): Json => JSON.parse(text) as Json
const written = json.chain((value) => fc.tuple(fc.constant(value), textOf(value)))
const writtenObject = jsonObject.chain((value) => fc.tuple(fc.constant(value), textOf(value)))

// RFC 7386 appendix A: ORIGINAL, PATCH, RESULT.
const APPENDIX = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
] as const

describe('a merge patch', () => {
  it.each(APPENDIX)('gives what RFC 7386 says: %s with %s', (original, patch, result) => {
    expect(parsed(merged(original, parsed(patch)))).toEqual(parsed(result))
    expect(mergePatch(parsed(original), parsed(patch))).toEqual(parsed(result))
  })

  it('gives what a plain merge gives, in its order, of every document', () => {
    fc.assert(
      fc.property(written, json, ([value, text], patch) => {
        // as text: the order counts, and a member named __proto__ too
        expect(JSON.stringify(parsed(merged(text, patch)))).toBe(JSON.stringify(mergePatch(value, patch)))
      }),
      { numRuns: 3_000 },
    )
  })

  it('is no change where it changes nothing', () => {
    fc.assert(
      fc.property(written, json, ([value, text], patch) => {
        const once = merged(text, patch)
        expect(merged(once, patch)).toBe(once)
        if (JSON.stringify(mergePatch(value, patch)) === JSON.stringify(value)) expect(once).toBe(text)
      }),
    )
  })

  it('leaves the text of every value that it does not name, and all around the document', () => {
    fc.assert(
      fc.property(writtenObject, jsonObject, ([, text], patch) => {
        const after = merged(text, patch)
        const untouched = sources(text, patch)
        expect(sources(after, patch).slice(0, untouched.length)).toEqual(untouched)
        expect(after.slice(0, after.indexOf('{'))).toBe(text.slice(0, text.indexOf('{')))
        expect(after.slice(after.lastIndexOf('}'))).toBe(text.slice(text.lastIndexOf('}')))
      }),
      { numRuns: 2_000 },
    )
  })

  it('is undone by its opposite, to the byte: a new member taken away again', () => {
    fc.assert(
      fc.property(writtenObject, json, ([value, text], added) => {
        fc.pre(Object.keys(value as object).length > 0 && added !== null)
        expect(merged(merged(text, { new: added }), { new: null })).toBe(text)
      }),
    )
  })
})

/** Source texts of the members that the patch does not name, with their names, in order. */
function sources(text: string, patch: Json): string[] {
  const of = (node: JsonNode, by: Json | undefined): string[] => {
    if (node.kind !== 'object' || by === undefined || !isJsonObject(by)) return []
    return node.members.flatMap(({ key, keyStart, value }) =>
      Object.hasOwn(by, key) ? of(value, by[key]) : [text.slice(keyStart, value.end)],
    )
  }
  return of(parseJson(text), patch)
}

const POINTS = `{
    "name": "calico",
    "mtu" : 1500,
    "big": 12345678901234567890.000,
    "ipam": {
        "type": "calico-ipam"
    },
    "empty": {},
    "list": [ 1, 2 ]
}
`

describe('the text of a merge', () => {
  it.each<[string, string, Json, string]>([
    ['replaces a value in its place', POINTS, { mtu: 1440 }, POINTS.replace('1500', '1440')],
    [
      'adds with the indentation that is there',
      POINTS,
      { log_level: 'info' },
      POINTS.replace('2 ]\n', '2 ],\n    "log_level": "info"\n'),
    ],
    [
      'adds an object on lines of its own',
      POINTS,
      { policy: { type: 'k8s', none: null } },
      POINTS.replace('2 ]\n', '2 ],\n    "policy": {\n        "type": "k8s"\n    }\n'),
    ],
    [
      'adds inside of an object',
      POINTS,
      { ipam: { assign_ipv4: 'true' } },
      POINTS.replace('"calico-ipam"', '"calico-ipam",\n        "assign_ipv4": "true"'),
    ],
    ['fills an empty object', POINTS, { empty: { a: 1 } }, POINTS.replace('{}', '{\n        "a": 1\n    }')],
    [
      'removes the first with its line',
      POINTS,
      { name: null },
      POINTS.replace('"name": "calico",\n    ', ''),
    ],
    [
      'removes the last with the comma before it',
      POINTS,
      { list: null },
      POINTS.replace(',\n    "list": [ 1, 2 ]', ''),
    ],
    ['replaces a list on one line', POINTS, { list: [3] }, POINTS.replace('[ 1, 2 ]', '[3]')],
    [
      'keeps CRLF',
      '{\r\n\t"a": 1\r\n}',
      { b: { c: 2 } },
      '{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": 2\r\n\t}\r\n}',
    ],
    ['keeps one line, with spaces', '{ "a": 1, "b": 2 }', { c: [3, 4] }, '{ "a": 1, "b": 2, "c": [3, 4] }'],
    ['keeps one line, without', '{"a":1}', { b: { c: 2, d: 3 } }, '{"a":1,"b":{"c":2,"d":3}}'],
    ['swaps the last member for a new one', '{"a":1, "b":2}', { b: null, c: 3 }, '{"a":1, "c":3}'],
    ['swaps all members', '{\n  "a": 1\n}\n', { a: null, c: 3 }, '{\n  "c": 3\n}\n'],
    ['takes 1.0 for 1', '{"a": 1.0}', { a: 1 }, '{"a": 1.0}'],
  ])('%s', (_, text, patch, result) => {
    expect(merged(text, patch)).toBe(result)
  })
})
