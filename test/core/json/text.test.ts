import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonError, parseJson, valueOf } from '../../../agent/core/json/text.ts'
import { json, textOf } from './document.ts'

const written = json.chain(textOf)

/** What the platform's own parser says: a value, or that it is none. */
function reference(text: string): unknown {
  try {
    return [JSON.parse(text)]
  } catch {
    return 'no JSON'
  }
}

function ours(text: string): unknown {
  try {
    return [valueOf(parseJson(text))]
  } catch (error) {
    expect(error).toBeInstanceOf(JsonError)
    return 'no JSON'
  }
}

describe('parseJson', () => {
  it('reads every document as the platform does', () => {
    fc.assert(
      fc.property(written, (text) => {
        expect(ours(text)).toEqual(reference(text))
      }),
    )
  })

  it('takes and refuses what the platform does, when characters are lost, doubled or strange', () => {
    const strange = fc.constantFrom(
      '',
      ',',
      '"',
      '\\',
      '}',
      '0',
      '-',
      '.',
      'e',
      '\u0000',
      '\ufeff',
      '\u00a0',
      "'",
      '//',
    )
    const cut = fc.tuple(written, fc.nat(), fc.nat(2), strange)
    fc.assert(
      fc.property(cut, ([text, at, length, by]) => {
        const start = at % (text.length + 1)
        const broken = text.slice(0, start) + by + text.slice(start + length)
        expect(ours(broken)).toEqual(reference(broken))
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['', 'line 1, column 1: expected a value, found the end of the file'],
    ['{\n  "a": 1\n  "b": 2\n}', 'line 3, column 3: expected "," or "}", found "\\""'],
    ['{"a": 1,}', 'line 1, column 9: expected a name in double quotes, found "}"'],
    ['{"a" 1}', 'line 1, column 6: expected ":", found "1"'],
    ['{"a": nul}', 'line 1, column 7: expected a value, found "n"'],
    ['[1] x', 'line 1, column 5: unexpected text after the end of the document, found "x"'],
    [
      '["a\nb"]',
      'line 1, column 2: the string is not closed, or contains an unescaped control character, found "\\""',
    ],
    ['[01]', 'line 1, column 3: expected "," or "]", found "1"'],
  ])('tells what is wrong with %j and where', (text, message) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ message }) as Error)
  })

  it('ends at a depth that no config has', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(reference(nested(500))).toEqual(ours(nested(500)))
    expect(() => parseJson(nested(100_000))).toThrow('nested more than 500 levels deep')
  })
})
