import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startDeadline, within } from '../../agent/adapters/deadline.ts'

it('ends an exchange that takes longer', async () => {
  const silent = (signal: AbortSignal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error)
      })
    })
  await expect(within(20, silent)).rejects.toThrow('it did not answer within 0.02 s')
})

it('does not count the time in which the host stood still', async () => {
  const deadline = startDeadline(1_500)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_600)
  await sleep(0)
  expect(deadline.signal.aborted).toBe(false)
  await expect.poll(() => deadline.signal.aborted, { timeout: 60_000 }).toBe(true)
})

it('has no end without a limit', async () => {
  const deadline = startDeadline(Infinity)
  await sleep(10)
  expect(deadline.signal.aborted).toBe(false)
  deadline.clear()
})
