import { describe, expect, it } from 'vitest'
import { type FileAccess, unreadable } from '../../../agent/core/docker/file-access.ts'

const root = (mode: number): FileAccess => ({ uid: 0, gid: 0, mode })
const isTold = (user: string, chain: FileAccess[], groups = false): boolean =>
  unreadable([{ setting: 'KUBECONFIG', path: '/k', hostPath: '/k', chain }], user, groups).length === 1

describe('a file that a container is given', () => {
  it.each<[string, string, FileAccess[], boolean]>([
    ['of root alone', '999', [root(0o600)], true],
    ['of root alone, for root', '', [root(0o600)], false],
    ['of root alone, for uid 0', '0:0', [root(0o600)], false],
    ['for everybody', '999', [root(0o644)], false],
    ['of that user', '999', [{ uid: 999, gid: 0, mode: 0o400 }], false],
    ['of that user, without the right', '999', [{ uid: 999, gid: 0, mode: 0o044 }], true],
    ['for a group, which Docker may give a user without one', '999', [root(0o640)], false],
    ['for another group than the named one', '999:999', [root(0o640)], true],
    ['for the named group', '999:0', [root(0o640)], false],
    ['closed to the named group alone', '999:0', [root(0o604)], true],
    ['of a user with a name, who cannot be told', 'calico', [root(0o600)], false],
    ['in a directory that is closed', '999', [root(0o700), root(0o644)], true],
    ['in a directory that lists nothing, but lets through', '999', [root(0o711), root(0o644)], false],
  ])('%s', (_, user, chain, told) => {
    expect(isTold(user, chain)).toBe(told)
  })

  it('may be readable by a further group', () => {
    expect(isTold('999:999', [root(0o640)], true)).toBe(false)
  })
})
