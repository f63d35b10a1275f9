import { redactText } from '../core/redact/text.ts'

/** A document as it may be shown: whatever was quoted or journaled, in one place, without secrets. */
export function shownJson(document: unknown): string {
  return JSON.stringify(document, (_key, value: unknown) =>
    typeof value === 'string' ? redactText(value) : value,
  )
}
