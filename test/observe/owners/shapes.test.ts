import { describe, expect, it } from 'vitest'
import { verdictOn } from './host.ts'
import { ROWS } from './shapes.ts'

const rows = Object.entries(ROWS)

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
