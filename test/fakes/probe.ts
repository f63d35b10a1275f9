import type { Probe } from '../../agent/ports/probe.ts'

/** Peers that are there, no health endpoint, and a disk that nobody can measure. */
export function fakeProbe(): Probe {
  return {
    httpStatus: () => Promise.resolve(null),
    reach: () => Promise.resolve('accepts'),
    freeBytes: () => Promise.resolve(null),
  }
}
