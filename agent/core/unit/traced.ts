/** A character and its place; `file` is null for one that no file contains as such: an escape, a specifier. */
export interface Char {
  c: string
  file: string | null
  at: number
}

/** Text that knows, through quotes, continuation lines and variables, where each of its characters was read. */
export type Traced = readonly Char[]

/** A stretch of a file, in characters. */
export interface Place {
  file: string
  start: number
  end: number
}

export function trace(file: string, text: string, start = 0, end = text.length): Char[] {
  return Array.from({ length: end - start }, (_, i) => ({ c: text[start + i] ?? '', file, at: start + i }))
}

export function untraced(text: string): Char[] {
  return text.split('').map((c) => ({ c, file: null, at: 0 }))
}

export function textOf(traced: Traced): string {
  return traced.map(({ c }) => c).join('')
}

/** The text, split at each change of place; a null place for text that no file contains. */
export function segmentsOf(traced: Traced): { place: Place | null; text: string }[] {
  const segments: { place: Place | null; text: string }[] = []
  for (const { c, file, at } of traced) {
    const last = segments.at(-1)
    const goesOn = file === null ? last?.place === null : last?.place?.file === file && last.place.end === at
    if (last && goesOn) {
      last.text += c
      if (last.place) last.place.end += 1
    } else {
      segments.push({ place: file === null ? null : { file, start: at, end: at + 1 }, text: c })
    }
  }
  return segments
}

/** The one place that contains the whole text; null if there is none. */
export function placeOf(traced: Traced): Place | null {
  const [only, ...others] = segmentsOf(traced)
  return others.length === 0 ? (only?.place ?? null) : null
}

/** What systemd strips and splits at. */
export function isBlank(char: Char | undefined): boolean {
  return char !== undefined && ' \t\n\r'.includes(char.c)
}

export function strip(traced: Traced): Traced {
  const first = traced.findIndex((char) => !isBlank(char))
  const last = traced.findLastIndex((char) => !isBlank(char))
  return first < 0 ? [] : traced.slice(first, last + 1)
}
