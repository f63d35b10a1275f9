import { describe, expect, it } from 'vitest'
import { section, rows as tableRows, textOf } from '../../docs/markdown.ts'
import { changed, left } from './changed.ts'
import { verdictOn } from './host.ts'
import { refused } from './refused.ts'

const rows = Object.entries({ ...changed, ...refused, ...left })

describe('who keeps the container is', () => {
  it.each(rows.filter(([, { refused }]) => refused === undefined))(
    'told of the new image: %s',
    async (_, { changed, warned, ...shape }) => {
      const { problems, ...verdict } = await verdictOn(shape)
      expect({ ...verdict, problems: problems.length }).toEqual({
        changed,
        problems: warned === undefined ? 0 : 1,
      })
      expect(problems.join()).toContain(warned ?? '')
    },
  )

  it.each(rows.filter(([, { refused }]) => refused !== undefined))(
    'refused: %s',
    async (_, { refused, ...shape }) => {
      const { changed, problems } = await verdictOn(shape)
      expect(changed).toBeUndefined()
      expect(problems).toEqual([expect.stringMatching(/^(systemd-owned|kept-elsewhere): /) as string])
      expect(problems[0]).toContain(refused)
    },
  )
})

describe('docs/owners.md', () => {
  const table = tableRows(section(textOf('docs/owners.md'), '### Which unit keeps it'))
  const verdicts = new Map(table.map(([has = '', agent = '']) => [has, agent]))

  it('has an example of each row in this table, and a row for each example', () => {
    const example = ([has = '']: string[]) => rows.some(([, { row }]) => has.startsWith(row))
    expect(table.filter((cells) => !example(cells))).toEqual([])
    const known = ({ row }: { row: string }) => [...verdicts.keys()].some((has) => has.startsWith(row))
    expect(rows.filter(([, shape]) => !known(shape)).map(([name]) => name)).toEqual([])
  })

  it.each(rows)('says what comes of it: %s', (_, { row, changed: file, refused: why }) => {
    const [, says = ''] = [...verdicts].find(([has]) => has.startsWith(row)) ?? []
    const verdict = why !== undefined ? 'refuses' : file === null ? 'takes no notice' : 'changes the image'
    expect(says.startsWith(verdict)).toBe(true)
  })
})
