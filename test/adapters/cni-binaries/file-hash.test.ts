import { expect, it } from 'vitest'
import { sha256Of } from '../../../agent/adapters/cni-binaries/file-hash.ts'

it('a device has no hash, and is not read to an end that it does not have', async () => {
  await expect(sha256Of('/dev/zero')).rejects.toThrow('it is not a regular file')
  expect(await sha256Of('/no/such/plugin')).toBeNull()
})
