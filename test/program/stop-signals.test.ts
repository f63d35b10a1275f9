import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { JournalFiles } from '../../agent/journal/store.ts'
import { OpenRuns } from '../../agent/program/open-runs.ts'
import { StopSignals } from '../../agent/program/stop-signals.ts'

class Exit extends Error {}

const exit = vi.spyOn(process, 'exit')
let before: NodeJS.SignalsListener[]

beforeEach(() => {
  before = process.listeners('SIGINT')
  exit.mockReset().mockImplementation(() => {
    throw new Exit()
  })
})

afterEach(() => {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    for (const listener of process.listeners(name))
      if (!before.includes(listener)) process.off(name, listener)
})

it.each([
  [
    'in a run',
    true,
    'calico-agent: stopped in the middle of a run; "calico-agent resume" finishes or undoes it',
  ],
  ['where no run has begun', false, 'calico-agent: stopped before it was done; no run had started'],
])('a second signal %s says what it leaves', (_, inRun, words) => {
  let said = ''
  const stops = new StopSignals(
    () => inRun,
    (text) => (said += text),
  )
  const signal = stops.listen()
  process.emit('SIGINT')
  expect(signal.reason).toMatchObject({ code: 'cancelled' })
  expect(exit).not.toHaveBeenCalled()
  expect(() => process.emit('SIGINT')).toThrow(Exit)
  expect(exit).toHaveBeenCalledWith(130)
  expect(said).toBe(`\n${words}\n`)
})

it('a second one counts whichever command the first one stopped', () => {
  const stops = new StopSignals(
    () => true,
    () => undefined,
  )
  const [first, second] = [stops.listen(), stops.listen()]
  process.emit('SIGTERM')
  expect([first.aborted, second.aborted]).toEqual([true, true])
  expect(() => process.emit('SIGTERM')).toThrow(Exit)
})

it('the first one after an internal failure, which stops the run as well, does not end it in the window', () => {
  const stops = new StopSignals(
    () => true,
    () => undefined,
  )
  const signal = stops.listen()
  stops.abort(new Error('internal'))
  process.emit('SIGINT')
  expect(exit).not.toHaveBeenCalled()
  expect(signal.reason).toMatchObject({ message: 'internal' })
  expect(() => process.emit('SIGINT')).toThrow(Exit)
})

it('once released, a signal is the kernel’s again', () => {
  const count = process.listenerCount('SIGTERM')
  const stops = new StopSignals(
    () => true,
    () => undefined,
  )
  stops.listen()
  expect(process.listenerCount('SIGTERM')).toBe(count + 1)
  stops.release()
  expect(process.listenerCount('SIGTERM')).toBe(count)
})

it('a run is open from its journal’s opening to its closing', async () => {
  const runs = new OpenRuns()
  const nothing = () => Promise.resolve()
  const files = { open: () => Promise.resolve({ append: nothing, close: nothing }) }
  const watched = runs.watch(files as unknown as JournalFiles)
  expect(runs.any).toBe(false)
  const file = await watched.open('r1.jsonl', 0)
  expect(runs.any).toBe(true)
  await file.close()
  expect(runs.any).toBe(false)
})
