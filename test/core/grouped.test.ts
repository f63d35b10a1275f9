import { expect, it } from 'vitest'
import type { Problem } from '../../agent/core/errors.ts'
import { abbreviatedList, grouped } from '../../agent/core/grouped.ts'

const down = (subject: string, socket = ''): Problem => ({
  ...{ code: 'peer-down', severity: 'warning', subject },
  message: `peer ${subject} is already down`,
  fix: `birdcl ${socket}show protocols all ${subject}`,
})

it('tells a reason once, whatever the family, with some of the names', () => {
  const four = Array.from({ length: 100 }, (_, i) => down(`Mesh_192_0_2_${i + 2}`))
  const six = Array.from({ length: 100 }, (_, i) => down(`Mesh_2001_db8__${i + 2}`, '-s bird6.ctl '))
  const other: Problem = { code: 'no-bird', severity: 'warning', message: 'no BIRD', fix: 'none' }
  const told = grouped([...four, other, ...six])
  expect(told.map(({ code }) => code)).toEqual(['peer-down', 'no-bird'])
  const names = [3, 4, 5, 6, 7].map((last) => `Mesh_192_0_2_${last}`).join(', ')
  expect(told[0]?.message).toBe(`peer Mesh_192_0_2_2 is already down (199 more: ${names} and 194 more)`)
})

it('keeps apart what is not the same', () => {
  const restarting: Problem = { ...down('a'), code: 'peer-restarting', message: 'a restarts, for 9 s more' }
  const all: Problem[] = [
    down('a'),
    restarting,
    { ...restarting, subject: 'b', message: 'b restarts, for 8 s more' },
    { ...down('c'), severity: 'error' },
  ]
  expect(grouped(all)).toEqual(all)
  const same: Problem = { code: 'no-bird', severity: 'warning', message: 'no BIRD', fix: 'none' }
  expect(grouped([same, same])).toEqual([same, same])
})

it('does not leave a single name out', () => {
  expect(abbreviatedList(['a', 'b', 'c', 'd', 'e', 'f'])).toBe('a, b, c, d, e, f')
  expect(abbreviatedList(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toBe('a, b, c, d, e and 2 more')
})
