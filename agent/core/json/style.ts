import { isJsonObject, type Json } from './merge-patch.ts'
import type { JsonNode } from './text.ts'

/** How a document is written. */
export interface JsonStyle {
  eol: string
  /** One level of indentation. */
  unit: string
  /** Between a name and its value. */
  colon: string
  /** After a comma, where all stands on one line. */
  gap: string
}

/** The style of most of the text, by its first line breaks, members and commas. */
export function styleOf(text: string, root: JsonNode): JsonStyle {
  const colon = /^[ \t]*:[ \t]*/.exec(text.slice(firstMember(root)?.keyEnd ?? text.length))?.[0] ?? ': '
  return {
    eol: /\r?\n/.exec(text)?.[0] ?? '\n',
    unit: indentOf(text.slice(root.start + 1, firstChild(root) ?? root.start + 1)) ?? '  ',
    colon,
    gap: colon.endsWith(':') ? '' : ' ',
  }
}

/** What stands before the first character of a line; null where no line begins in it. */
export function indentOf(space: string): string | null {
  return /\n([ \t]*)$/.exec(space)?.[1] ?? null
}

/** The value as text: on lines of its own below `indent`, or on one line where that is null. */
export function render(value: Json, style: JsonStyle, indent: string | null): string {
  if (Array.isArray(value)) {
    const inner = value.some((item) => typeof item === 'object' && item !== null) ? indent : null
    return enclosed(
      '[',
      value.map((item) => render(item, style, deeper(inner, style))),
      ']',
      style,
      inner,
    )
  }
  if (!isJsonObject(value)) return JSON.stringify(value)
  const inner = deeper(indent, style)
  const members = Object.entries(value).map(
    ([key, item]) => JSON.stringify(key) + style.colon + render(item, style, inner),
  )
  return enclosed('{', members, '}', style, indent)
}

function deeper(indent: string | null, { unit }: JsonStyle): string | null {
  return indent === null ? null : indent + unit
}

function enclosed(
  open: string,
  parts: string[],
  close: string,
  style: JsonStyle,
  indent: string | null,
): string {
  if (parts.length === 0) return open + close
  if (indent === null) return open + parts.join(`,${style.gap}`) + close
  const lead = style.eol + indent
  return `${open}${parts.map((part) => lead + style.unit + part).join(',')}${lead}${close}`
}

function firstChild(node: JsonNode): number | undefined {
  return node.kind === 'object'
    ? node.members[0]?.keyStart
    : node.kind === 'array'
      ? node.items[0]?.start
      : undefined
}

function firstMember(node: JsonNode): { keyEnd: number } | undefined {
  if (node.kind === 'object') return node.members[0]
  return node.kind === 'array' ? node.items.map(firstMember).find((found) => found) : undefined
}
