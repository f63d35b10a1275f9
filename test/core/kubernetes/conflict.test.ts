import { describe, expect, it } from 'vitest'
import { AgentError } from '../../../agent/core/errors.ts'
import { unlessConflict } from '../../../agent/core/kubernetes/conflict.ts'

describe('a write that somebody else was faster than', () => {
  const failing = (code: string, times: number) => {
    let calls = 0
    const work = (): Promise<number> => {
      calls++
      return calls <= times
        ? Promise.reject(new AgentError(code, 'cannot patch', { fix: 'none' }))
        : Promise.resolve(calls)
    }
    return { work, calls: () => calls }
  }

  it('is tried again, a bounded number of times', async () => {
    expect(await unlessConflict(failing('kubernetes-conflict', 10).work)).toBe(11)
    const endless = failing('kubernetes-conflict', Number.POSITIVE_INFINITY)
    await expect(unlessConflict(endless.work)).rejects.toMatchObject({ code: 'kubernetes-conflict' })
    expect(endless.calls()).toBe(11)
  })

  it('is not tried again for another reason', async () => {
    const refused = failing('kubernetes-refused', 1)
    await expect(unlessConflict(refused.work)).rejects.toMatchObject({ code: 'kubernetes-refused' })
    expect(refused.calls()).toBe(1)
  })
})
