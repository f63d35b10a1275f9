import { createHash } from 'node:crypto'

/** Of a value as JSON, in hex: enough to tell one config of a host from another. */
export function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12)
}
