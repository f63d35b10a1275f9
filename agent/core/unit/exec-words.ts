import { type Char, isBlank, type Traced, textOf } from './traced.ts'

/** One command of an `Exec...=` value: its words still hold specifiers and variables. */
export interface ExecCommand {
  /** The special characters before the program, such as `-` or `@`. */
  prefix: string
  words: Traced[]
}

/**
 * The commands of an `Exec...=` value, as systemd splits them (systemd.service(5), "Command lines"); null where a
 * quote is left open, and systemd ignores the line.
 */
export function execCommands(value: Traced): ExecCommand[] | null {
  const commands: ExecCommand[] = []
  let words: Traced[] = []
  const end = (): void => {
    const [program, ...args] = words
    if (program) commands.push(withoutPrefix(program, args))
    words = []
  }
  for (let at = skipBlanks(value, 0); at < value.length; at = skipBlanks(value, at)) {
    if (isAlone(value, at, ';')) {
      end()
      at += 1
    } else {
      const word = isAlone(value, at, '\\;') ? literal(value, at + 1) : readWord(value, at)
      if (word === null) return null
      words.push(word.text)
      at = word.next
    }
  }
  end()
  return commands
}

/** The words of another value, such as `Environment=`; null where a quote is left open. */
export function valueWords(value: Traced): Traced[] | null {
  const words: Traced[] = []
  for (let at = skipBlanks(value, 0); at < value.length; at = skipBlanks(value, at)) {
    const word = readWord(value, at)
    if (word === null) return null
    words.push(word.text)
    at = word.next
  }
  return words
}

interface ReadWord {
  text: Char[]
  next: number
}

/** One word from `start` on: quotes may open and close anywhere in it (src/basic/extract-word.c). */
function readWord(value: Traced, start: number): ReadWord | null {
  const text: Char[] = []
  let quote = ''
  let at = start
  for (;;) {
    const char = value[at]
    if (char === undefined) return quote === '' ? { text, next: at } : null
    if (quote === '' && isBlank(char)) return { text, next: at }
    if (char.c === quote) quote = ''
    else if (quote === '' && (char.c === '"' || char.c === "'")) quote = char.c
    else if (char.c === '\\') {
      const escape = readEscape(value, at)
      text.push(...escape.text)
      at = escape.next - 1
    } else text.push(char)
    at += 1
  }
}

const ONE_CHARACTER: Record<string, string> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ s: ' ', '\\': '\\', '"': '"', "'": "'" },
}
const NUMBERED = /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/

/** C's escapes; an unknown one stays as it is. */
function readEscape(value: Traced, at: number): ReadWord {
  const raw = textOf(value.slice(at, at + 10))
  const known = ONE_CHARACTER[raw[1] ?? '']
  if (known !== undefined) return { text: [{ c: known, file: null, at: 0 }], next: at + 2 }
  const [whole = '', hex, short, long, octal] = NUMBERED.exec(raw) ?? []
  const code =
    octal === undefined ? Number.parseInt(hex ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8)
  if (code > 0 && code <= 0x10ffff) {
    const chars = String.fromCodePoint(code).split('')
    return { text: chars.map((c) => ({ c, file: null, at: 0 })), next: at + whole.length }
  }
  return { text: value.slice(at, at + 1), next: at + 1 }
}

function literal(value: Traced, at: number): ReadWord {
  return { text: value.slice(at, at + 1), next: at + 1 }
}

function isAlone(value: Traced, at: number, text: string): boolean {
  const end = at + text.length
  return (
    textOf(value.slice(at, end)) === text &&
    (end >= value.length || isBlank(value[end])) &&
    (at === 0 || isBlank(value[at - 1]))
  )
}

function skipBlanks(value: Traced, from: number): number {
  let at = from
  while (isBlank(value[at])) at += 1
  return at
}

/** `@` says that the word behind the program is its argv[0]. */
function withoutPrefix(program: Traced, args: Traced[]): ExecCommand {
  const length = /^[-@:+!|]*/.exec(textOf(program))?.[0].length ?? 0
  const prefix = textOf(program.slice(0, length))
  return { prefix, words: [program.slice(length), ...(prefix.includes('@') ? args.slice(1) : args)] }
}
