import type { HostRecord } from '../../../agent/core/fleet/host-record.ts'

/** Of a host that is done, and has said nothing of when. */
export const doneRecord = (host: string): HostRecord => ({
  host,
  version: '0.2.0',
  target: 'calico/node:v2',
  state: 'done',
  run: 'run-1',
  reason: null,
  askedAt: null,
  startedAt: null,
  endedAt: null,
  window: null,
})
