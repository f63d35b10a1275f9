// What an image is may be known only once it is here.

import { expect, it } from 'vitest'
import { agent, costOf, expectAsBefore, expectNoCost, image, nodeId, world } from './support.ts'

it('is refused before anything moves where latest turns out to be v3', async () => {
  const at = await world()
  const { host } = at
  const before = await nodeId(host)
  const upgrade = () => agent(host, 'upgrade', '--node', image('latest'))

  const cost = await costOf(at, upgrade)
  expectNoCost(cost)
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
  await expectAsBefore(host, before)

  // it is here by now: nothing is even begun
  const again = await upgrade()
  expect([again.code, again.report.run]).toEqual([3, null])
  expect(again.report.problems).toMatchObject([{ code: 'datastore-migration' }])
})
