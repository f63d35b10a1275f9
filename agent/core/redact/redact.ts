import { HIDDEN, hidesValue } from './names.ts'
import { redactText } from './text.ts'

/** The value as it may be shown: names of secrets hide their values, paths to them are no secret. */
export function redactValue(name: string, value: string): string {
  return hidesValue(name, value) ? HIDDEN : redactText(value)
}

/** A command line as it may be shown: `--password=x`, `--password x` and what redactText hides. */
export function redactArgs(args: string[]): string[] {
  return args.map((arg, i) => {
    const at = arg.indexOf('=')
    if (at >= 0) return `${redactText(arg.slice(0, at))}=${redactValue(arg.slice(0, at), arg.slice(at + 1))}`
    const option = args[i - 1] ?? ''
    const isValue = /^--?[^=]+$/.test(option) && !arg.startsWith('-')
    return isValue ? redactValue(option, arg) : redactText(arg)
  })
}

/** All of `"NAME=value"`, as units quote it. */
const QUOTED_WHOLE = /(["'])([a-z_]\w*)=((?:\\[^]|(?!\1)[^\\])*)\1/gi
/** `NAME=value`, the value in quotes or not. What stands before an assignment of its own is none. */
const ASSIGNMENT = /\b(?!Environment=|env=)([a-z_]\w*)=(?:(["'])((?:\\[^]|(?!\2)[^\\])*)\2|([^\s"']+))/gi

/** A unit or a file of the environment as it may be shown: `NAME=value` wherever it stands, and what redactText hides. */
export function redactAssignments(text: string): string {
  const shown = text
    .replace(QUOTED_WHOLE, (_, quote: string, name: string, value: string) => {
      return `${quote}${name}=${redactValue(name, value)}${quote}`
    })
    .replace(ASSIGNMENT, (_, name: string, quote = '', quoted = '', plain = '') => {
      return `${name}=${quote}${redactValue(name, `${quoted}${plain}`)}${quote}`
    })
  return redactText(shown)
}
