import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Json, patchBetween } from '../../../agent/core/json/merge-patch.ts'
import { merged } from '../../fakes/merged.ts'

/** A merge patch cannot set a null. */
const { object } = fc.letrec<{ value: Json; object: Json }>((tie) => ({
  value: fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string()), tie('object')),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
}))

it('makes one object of the other', () => {
  fc.assert(
    fc.property(object, object, (from, to) => {
      expect(merged(from, patchBetween(from, to))).toEqual(to)
    }),
  )
})

it('says nothing of what is the same', () => {
  expect(patchBetween({ a: 1, b: { c: 2, d: 3 } }, { a: 1, b: { c: 2, d: 4 } })).toEqual({ b: { d: 4 } })
})
