import { expect, it } from 'vitest'
import { FakeDialGuard } from '../fakes/dial-guard.ts'
import { dialGuardScenario, EXPECTED } from './dial-guard-contract.ts'

it('the fake dial guard keeps the contract', async () => {
  const guard = new FakeDialGuard()
  expect(await dialGuardScenario(guard, () => [...guard.closed].sort())).toEqual(EXPECTED)
})
