import { redactArgs, redactValue } from '../redact/redact.ts'
import { redactText } from '../redact/text.ts'
import type { DiffEntry } from '../report/report.ts'
import type { ImageToken, ManifestValue, PodManifest } from './manifest.ts'

/** The diff of a manifest, secrets hidden. `manifest` and `token` are those of `before`. */
export function redactedManifestDiff(
  { target, before, after }: DiffEntry,
  { values }: PodManifest,
  token: ImageToken,
): DiffEntry {
  const moved = after.length - before.length
  const shifted = values.map((value) =>
    value.start < token.end ? value : { ...value, start: value.start + moved, end: value.end + moved },
  )
  return { target, before: hidden(before, values), after: hidden(after, shifted) }
}

function hidden(text: string, values: ManifestValue[]): string {
  return values
    .map(({ start, end, ...named }) => ({ start, end, shown: shownValue(named), value: named.value }))
    .filter(({ shown, value }) => shown !== value)
    .sort((a, b) => b.start - a.start)
    .reduce((all, { start, end, shown }) => all.slice(0, start) + shown + ending(all, end), text)
}

function shownValue({ name, value }: Pick<ManifestValue, 'name' | 'value'>): string {
  if (name !== null) return redactValue(name, value)
  return /^--?[\w-]+=/.test(value) ? (redactArgs([value])[0] ?? '') : redactText(value)
}

/** A block scalar ends with its last line's break, which stays. */
function ending(text: string, end: number): string {
  return (text[end - 1] === '\n' ? '\n' : '') + text.slice(end)
}
