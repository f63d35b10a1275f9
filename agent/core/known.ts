import type { Problem } from './errors.ts'

/** What was found; null where there was nothing, or where a problem says why it cannot be told. */
export function known<T extends object>(found: T | { problem: Problem } | null | undefined): T | null {
  return !found || 'problem' in found ? null : found
}
