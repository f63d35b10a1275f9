import { describe, expect, it } from 'vitest'
import { undecodable } from '../../../agent/core/json/go-decode.ts'
import { parseJson } from '../../../agent/core/json/text.ts'

const problem = (literal: string, type: 'int' | 'uint') =>
  undecodable(parseJson(`{"mtu": ${literal}}`), { fields: { mtu: type } })

describe('a number that Go decodes into an integer', () => {
  // as `json.Unmarshal` of Go 1.19 had it
  it.each([
    '0',
    '-0',
    '1440',
    '-1',
    '9007199254740993',
    '9223372036854775807',
    '-9223372036854775808',
    'null',
  ])('may be %s', (literal) => {
    expect(problem(literal, 'int')).toBe(null)
  })

  it.each(['1440.0', '1.5', '1e3', '1440E0', '9223372036854775808', '-9223372036854775809'])(
    'is not %s',
    (literal) => {
      expect(problem(literal, 'int')).toMatch('"mtu" must be an integer, but it is a number')
    },
  )

  it.each<[string, boolean]>([
    ['0', true],
    ['18446744073709551615', true],
    ['18446744073709551616', false],
    ['-0', false],
    ['-1', false],
    ['4096.0', false],
  ])('without a sign: %s', (literal, fits) => {
    expect(problem(literal, 'uint') === null).toBe(fits)
  })
})
