import { RunStore } from '../../agent/journal/store.ts'
import type { Ports } from '../../agent/steps/step.ts'
import type { App } from '../../agent/stories/app.ts'
import type { FakeClock } from '../fakes/clock.ts'
import { MemoryFiles } from '../journal/memory-files.ts'

interface Host {
  clock: FakeClock
  ports(): Ports
}

/** An agent on a fake host: nobody else holds the lock, and its journals are in memory. */
export function appOn(host: Host, more: Partial<App> = {}): App {
  let runs = 0
  return {
    version: '0.0.0',
    ports: host.ports(),
    runs: new RunStore(new MemoryFiles(), host.clock),
    fleet: null,
    wait: null,
    lock: () => Promise.resolve(),
    unlock: () => undefined,
    lockHolder: () => Promise.resolve(null),
    newRun: () => `run-${++runs}`,
    keepRuns: 20,
    emit: () => undefined,
    signal: new AbortController().signal,
    ...more,
  }
}
