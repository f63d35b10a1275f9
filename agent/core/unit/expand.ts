import { valueWords } from './exec-words.ts'
import { type Char, isBlank, type Traced, textOf, untraced } from './traced.ts'

export type Variables = ReadonlyMap<string, Traced>

/** A word of a command line: what the program gets, and the text for it in the unit. */
export interface Argument {
  text: Traced
  /** As written, with specifiers and variables; empty if it came from a variable together with others. */
  written: Traced
}

/** What `%` and a letter stand for in a unit of this name (systemd.unit(5), "Specifiers"), as far as a name tells. */
export function specifiersOf(unit: string): ReadonlyMap<string, string> {
  const bare = unit.replace(/\.[^.]*$/, '')
  const at = bare.indexOf('@')
  const prefix = at < 0 ? bare : bare.slice(0, at)
  const instance = at < 0 ? '' : bare.slice(at + 1)
  const last = prefix.slice(prefix.lastIndexOf('-') + 1)
  return new Map([
    ...[['n', unit] as const, ['N', bare] as const, ['%', '%'] as const],
    ...[['p', prefix] as const, ['P', unescapeName(prefix)] as const],
    ...[['i', instance] as const, ['I', unescapeName(instance)] as const],
    ...[['j', last] as const, ['J', unescapeName(last)] as const],
  ])
}

function unescapeName(text: string): string {
  return text
    .replaceAll('-', '/')
    .replaceAll(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** An unknown specifier stays, as text without a place. */
export function expandSpecifiers(text: Traced, specifiers: ReadonlyMap<string, string>): Traced {
  const expanded: Char[] = []
  for (let at = 0; at < text.length; at++) {
    const [char, letter] = text.slice(at, at + 2)
    if (char?.c === '%' && letter) {
      expanded.push(...untraced(specifiers.get(letter.c) ?? `%${letter.c}`))
      at += 1
    } else if (char) expanded.push(char)
  }
  return expanded
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/

/**
 * A command line with its variables expanded, by systemd's rules (systemd.service(5)): `$VAR` alone is split at its
 * blanks, `${VAR}` anywhere is not, `$$` is a dollar, and what is not set is empty.
 */
export function expandArguments(words: Traced[], variables: Variables): Argument[] {
  return words.flatMap((word) => {
    const alone = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(textOf(word))?.[1]
    if (alone !== undefined) return splitVariable(word, variables.get(alone) ?? [])
    return [{ text: expandVariables(word, variables, { bare: false }), written: word }]
  })
}

export function splitVariable(written: Traced, value: Traced): Argument[] {
  const parts = valueWords(value) ?? [value]
  return parts.map((text) => ({ text, written: parts.length === 1 ? written : [] }))
}

/** `bare`: whether `$VAR` counts inside a word, as it does in a shell. */
export function expandVariables(word: Traced, variables: Variables, { bare }: { bare: boolean }): Traced {
  const expanded: Char[] = []
  for (let at = 0; at < word.length; at++) {
    const rest = word[at]?.c === '$' ? textOf(word.slice(at, at + 256)) : ''
    const name = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}/.exec(rest)?.[1]
    const bareName = bare && rest.startsWith('$') ? NAME.exec(rest.slice(1))?.[0] : undefined
    if (name !== undefined) {
      expanded.push(...(variables.get(name) ?? []))
      at += name.length + 2
    } else if (bareName !== undefined) {
      expanded.push(...(variables.get(bareName) ?? []))
      at += bareName.length
    } else if (rest.startsWith('$$')) {
      expanded.push(...untraced('$'))
      at += 1
    } else {
      expanded.push(...word.slice(at, at + 1))
    }
  }
  return expanded
}

export function hasBlank(text: Traced): boolean {
  return text.some(isBlank)
}
