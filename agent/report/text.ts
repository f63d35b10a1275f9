import { stripVTControlCharacters } from 'node:util'
import pico from 'picocolors'
import stringWidth from 'string-width'
import { redactText } from '../core/redact/text.ts'

export type Colors = ReturnType<typeof pico.createColors>

export function colorsFor(enabled: boolean): Colors {
  return pico.createColors(enabled)
}

/** Text from Docker, BIRD or a registry as one line: without terminal control sequences or passwords. */
export function oneLine(text: string): string {
  return redactText(stripVTControlCharacters(text))
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .trim()
}

/** The same with its line breaks and indentation kept; a key has several lines. */
export function manyLines(text: string): string[] {
  return redactText(stripVTControlCharacters(text))
    .split(/\r?\n/)
    .map((line) => (/^ */.exec(line)?.[0] ?? '') + oneLine(line))
    .filter((line) => line.trim() !== '')
}

/** `4.1 s`, with `digits` after the point. */
export function seconds(ms: number, digits = 1): string {
  return `${(ms / 1000).toFixed(digits)} s`
}

/** A length that somebody set: `90 s`, `1.5 s`. */
export function setSeconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`
}

/** A time that was measured: `131 ms`, `4.1 s`. */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : seconds(ms)
}

/** `[###-----]`; full when more than the whole is used. */
export function progressBar(used: number, whole: number, width: number): string {
  const share = whole > 0 ? Math.min(1, Math.max(0, used / whole)) : 0
  const filled = Math.round(share * width)
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}]`
}

/** The beginning of a coloured text that fits into `columns`. */
export function clip(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text
  let free = columns - 1
  let clipped = ''
  for (const [part] of text.matchAll(STYLE_OR_CHAR)) {
    const style = part.startsWith('\x1b')
    if (!style) free -= stringWidth(part)
    // Styles go on behind the cut, so that each one is ended.
    if (style || free >= 0) clipped += part
  }
  return `${clipped}…`
}

const STYLE_OR_CHAR = /\x1b\[\d+m|./gu
