import { expect, it, vi } from 'vitest'
import { watchFleet } from '../../agent/commands/watch-fleet.ts'
import type { FleetView } from '../../agent/core/fleet/view.ts'
import { doneRecord } from '../core/fleet/sample.ts'
import { refusing } from './environment.ts'

const view: FleetView = {
  ...{ group: 'rack-7', slots: 1, target: 'calico/node:v2', halted: null, done: 1, total: 2 },
  hosts: [{ ...doneRecord('host1'), endedAt: '2026-11-27T02:50:00Z' }],
}

/** What is on stdout when the second look begins, with nothing that would come at the exit. */
async function watched(json: boolean, isGone = false): Promise<{ text: string; looks: number }> {
  const stop = new AbortController()
  let text = ''
  const look = vi.fn(() => Promise.resolve(view))
  const write = (line: string): void => {
    text += line
    if (!isGone) stop.abort()
  }
  const stdout = { isPending: false, isGone, write }
  await watchFleet({ ...refusing, stopSignal: () => stop.signal, stdout }, look, json)
  return { text, looks: look.mock.calls.length }
}

it('writes what is new at once, a line for each host', async () => {
  const { text } = await watched(false)
  expect(text).toBe('host1, done, 2026-11-27 02:50:00Z\ngroup rack-7: 1 of 2 hosts done, not halted\n')
})

it('writes a document on a line with --json', async () => {
  expect(JSON.parse((await watched(true)).text)).toMatchObject({ schema: 1, group: 'rack-7', done: 1 })
})

it('ends when nobody reads it any more', async () => {
  expect(await watched(false, true)).toMatchObject({ looks: 1 })
})
