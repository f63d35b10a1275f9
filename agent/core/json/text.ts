/** Why a text is not what it should be. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
}

/** A value and where it stands in the text. */
export type JsonNode = { start: number; end: number } & (
  | { kind: 'object'; members: JsonMember[] }
  | { kind: 'array'; items: JsonNode[] }
  /** `literal` is what stands there: `1440.0` has the value of `1440`, and is not the same to everybody. */
  | { kind: 'scalar'; value: string | number | boolean | null; literal: string }
)

export interface JsonMember {
  key: string
  keyStart: number
  keyEnd: number
  value: JsonNode
}

/** Far beyond any CNI config, and far from the end of the stack. */
const MAX_DEPTH = 500

const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// A control character, a lone backslash or an unknown escape ends the match early.
const STRING = /"(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const WORD = /true|false|null/y

/**
 * JSON (RFC 8259) with the place of each value; of two members with one name both are there.
 * @throws JsonError with line and column
 */
export function parseJson(text: string): JsonNode {
  return new Parser(text).document()
}

/** The plain value; of two members with one name the last counts, as in Go's encoding/json. */
export function valueOf(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.members.map(({ key, value }) => [key, valueOf(value)]))
    case 'array':
      return node.items.map(valueOf)
    case 'scalar':
      return node.value
  }
}

/** The member of that name, where there is one. */
export function memberOf(node: JsonNode | undefined, key: string): JsonMember | undefined {
  return node?.kind === 'object' ? node.members.findLast((member) => member.key === key) : undefined
}

/** "line 3, column 7", both from 1, in characters. */
export function placeIn(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): JsonNode {
    const value = this.#value(0)
    this.#skipSpace()
    if (this.#at < this.#text.length) throw this.#wrong('unexpected text after the end of the document')
    return value
  }

  #value(depth: number): JsonNode {
    this.#skipSpace()
    if (depth > MAX_DEPTH) throw this.#wrong(`it is nested more than ${MAX_DEPTH} levels deep`)
    const start = this.#at
    const opening = this.#text[start]
    if (opening === '{')
      return { kind: 'object', ...this.#list('}', 'members', () => this.#member(depth + 1)) }
    if (opening === '[') return { kind: 'array', ...this.#list(']', 'items', () => this.#value(depth + 1)) }
    const value = this.#scalar()
    return { kind: 'scalar', start, value, end: this.#at, literal: this.#text.slice(start, this.#at) }
  }

  #list<K extends string, T>(close: string, name: K, element: () => T) {
    const start = this.#at++
    const elements: T[] = []
    if (!this.#takes(close)) {
      do elements.push(element())
      while (this.#takes(','))
      if (!this.#takes(close)) throw this.#wrong(`expected "," or "${close}"`)
    }
    return { start, end: this.#at, [name]: elements } as { start: number; end: number } & Record<K, T[]>
  }

  #member(depth: number): JsonMember {
    this.#skipSpace()
    const keyStart = this.#at
    if (this.#text[keyStart] !== '"') throw this.#wrong('expected a name in double quotes')
    const key = this.#string()
    const keyEnd = this.#at
    if (!this.#takes(':')) throw this.#wrong('expected ":"')
    return { key, keyStart, keyEnd, value: this.#value(depth) }
  }

  #scalar(): string | number | boolean | null {
    if (this.#text[this.#at] === '"') return this.#string()
    const plain = this.#match(WORD) ?? this.#match(NUMBER)
    if (plain === undefined) throw this.#wrong('expected a value')
    return JSON.parse(plain) as number | boolean | null
  }

  #string(): string {
    const quoted = this.#match(STRING)
    if (quoted === undefined)
      throw this.#wrong('the string is not closed, or contains an unescaped control character')
    return JSON.parse(quoted) as string
  }

  #takes(mark: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== mark) return false
    this.#at++
    return true
  }

  #skipSpace(): void {
    this.#match(SPACE)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #wrong(what: string): JsonError {
    const found = this.#text.codePointAt(this.#at)
    const seen = found === undefined ? 'the end of the file' : inWords(String.fromCodePoint(found))
    return new JsonError(`${placeIn(this.#text, this.#at)}: ${what}, found ${seen}`)
  }
}

function inWords(char: string): string {
  return char === '\ufeff' ? 'a byte order mark' : JSON.stringify(char)
}
