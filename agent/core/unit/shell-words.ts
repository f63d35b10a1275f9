import { type Argument, expandVariables, hasBlank, splitVariable, type Variables } from './expand.ts'
import { type Char, isBlank, type Traced, textOf } from './traced.ts'

/**
 * The commands of a script that systemd hands to `sh -c`, with their arguments; null where a quote is left open.
 * systemd expands `${VAR}` first, even in the shell's single quotes; `$VAR` is left to the shell.
 */
export function shellCommands(script: Traced, variables: Variables): Argument[][] | null {
  const commands: Argument[][] = [[]]
  let at = 0
  while (at < script.length) {
    const char = script[at] as Char
    if (isBlank(char)) at += 1
    else if (';&|()'.includes(char.c)) {
      commands.push([])
      at += 1
    } else {
      const word = readWord(script, at)
      if (word === null) return null
      commands.at(-1)?.push(...expanded(word, variables))
      at = word.next
    }
  }
  return commands.map(fromProgram).filter((words) => words.length > 0)
}

/** A part of a word that is in one kind of quotes. */
interface Part {
  quote: string
  text: Char[]
}

interface ReadWord {
  parts: Part[]
  next: number
}

function readWord(script: Traced, start: number): ReadWord | null {
  const parts: Part[] = [{ quote: '', text: [] }]
  const add = (...chars: Char[]): void => void parts.at(-1)?.text.push(...chars)
  let at = start
  for (;;) {
    const char = script[at]
    const quote = parts.at(-1)?.quote ?? ''
    if (char === undefined) return quote === '' ? { parts, next: at } : null
    if (quote === '' && (isBlank(char) || ';&|()'.includes(char.c))) return { parts, next: at }
    const substitution = quote === "'" ? 0 : substitutionLength(script, at)
    if (substitution > 0) {
      // its value is not known here
      add(...script.slice(at, at + substitution).map(({ c }) => ({ c, file: null, at: 0 })))
      at += substitution - 1
    } else if (char.c === quote) parts.push({ quote: '', text: [] })
    else if (quote === '' && (char.c === '"' || char.c === "'")) parts.push({ quote: char.c, text: [] })
    else if (char.c === '\\' && quote !== "'") {
      const next = script[at + 1]
      if (next) add({ ...next, file: null })
      at += 1
    } else add(char)
    at += 1
  }
}

/** Length of a `$(...)` or a pair of backticks; 0 if there is none. */
function substitutionLength(script: Traced, at: number): number {
  const first = script[at]?.c
  if (first !== '`' && !(first === '$' && script[at + 1]?.c === '(')) return 0
  const rest = textOf(script.slice(at))
  if (first === '`') return Math.max(rest.indexOf('`', 1) + 1, 0)
  let depth = 0
  for (let i = 1; i < rest.length; i++) {
    if (rest[i] === '(') depth += 1
    if (rest[i] === ')') depth -= 1
    if (depth === 0) return i + 1
  }
  return rest.length
}

function expanded({ parts }: ReadWord, variables: Variables): Argument[] {
  const written = parts.flatMap(({ text }) => text)
  const text = parts.flatMap(({ quote, text: part }) =>
    expandVariables(part, variables, { bare: quote !== "'" }),
  )
  const unquoted = parts.every(({ quote, text: part }) => quote === '' || part.length === 0)
  if (unquoted && textOf(written).startsWith('$') && hasBlank(text)) return splitVariable(written, text)
  return [{ text, written }]
}

/** Without what a shell allows before the program: `VAR=x`, `exec`. */
function fromProgram(words: Argument[]): Argument[] {
  const first = words.findIndex(({ text }) => !/^(exec$|[A-Za-z_][A-Za-z0-9_]*=)/.test(textOf(text)))
  return first < 0 ? [] : behindEnv(words.slice(first))
}

/** `env VAR=x docker` is docker; an option that takes a value is not followed. */
export function behindEnv(words: Argument[]): Argument[] {
  if (!/(^|\/)env$/.test(textOf(words[0]?.text ?? []))) return words
  const known = /^(-|-i|--ignore-environment|[A-Za-z_][A-Za-z0-9_]*=.*)$/
  const first = words.findIndex(({ text }, i) => i > 0 && !known.test(textOf(text)))
  return first < 0 ? words : words.slice(first)
}
