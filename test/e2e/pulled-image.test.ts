// What an image is may be known only once it is here.

import { expect, it } from 'vitest'
import * as support from './support.ts'

it('is refused before anything moves where latest turns out to be v3', async () => {
  const at = await support.world()
  const { host } = at
  const before = await support.nodeId(host)
  const upgrade = () => support.agent(host, 'upgrade', '--node', support.image('latest'))

  const cost = await support.costOf(at, upgrade)
  support.expectNoCost(cost)
  const { code, report } = cost.result
  expect({ code, outcome: report.outcome, changed: report.changed }).toEqual({
    code: 3,
    outcome: 'refused',
    changed: false,
  })
  expect(report.steps[0]).toMatchObject({ kind: 'pull-image', status: 'undone' })
  const errors = report.problems.filter(({ severity }) => severity === 'error')
  expect(errors).toMatchObject([
    {
      code: 'datastore-migration',
      message: expect.stringContaining('node from v2.6.5 to v3.9.0') as string,
      fix: expect.stringContaining('--allow datastore-migration') as string,
    },
  ])
  await support.expectAsBefore(host, before)

  // it is here by now: nothing is even begun
  const again = await upgrade()
  expect([again.code, again.report.run]).toEqual([3, null])
  expect(again.report.problems).toMatchObject([{ code: 'datastore-migration' }])
})
