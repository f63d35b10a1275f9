import { HIDDEN, hidesValue, isSecretName } from './names.ts'

/** `NAME=`, `name: `, `"name":`, and the same in JSON that is quoted once more; `--name ` of a command line. Neither a parameter of a URL nor a path. */
const NAME =
  /(?<![?&;#\w/-])(-*)([a-z_][\w.-]{0,80}?)(?:\\*["'])?(\s*:\s*|\s*=>?\s*|(?<=--[\w-]{1,80})\s+(?!-))/gi
/** Behind a colon or a blank there may be prose: `unauthorized: authentication required`. */
const SURE_NAME =
  /(pass(word|wd|phrase)|pwd|secret|token|credentials?|(api|private|access|secret)[_-]?key|key[_-]?data|authorization)$/i
/** Whose value has several words: a scheme, and what follows it, up to the quote that it is in. */
const WHOLE = /authorization$/i
const REST = /[^"'\r\n]{1,4096}/y
/** As in `cannot get a token: dial tcp`: a word before the name, and a plain word behind the colon. */
const PROSE = /\w (?!.*pass(?:word|wd|phrase))\S+: *[a-z]{1,15}$/i

/** In quotes up to the closing one, or to the end of a text that was cut; else one word, with an auth scheme before it. */
const VALUE =
  /\\+"(?:(?!\\+")[^])*(?:\\+"|$)|"(?:\\[^]|[^"\\])*(?:"|$)|'(?:\\[^]|[^'\\])*(?:'|$)|(?:(?:basic|bearer|digest|negotiate) +)?[^\s"']{1,4096}/iy

/** Hides what stands behind the name of a secret. */
export function withoutNamed(text: string): string {
  if (!/[:=]|--/.test(text)) return text
  let shown = ''
  let from = 0
  for (const match of text.matchAll(NAME)) {
    const [head, dashes = '', name = '', separator = ''] = match
    const at = match.index + head.length
    // in quotes there is no prose
    const isSure = separator.includes('=') || (/["']\s*:/.test(head) && isQuoteAt(text, at))
    if (match.index < from || !(isSure ? isSecretName(name) : SURE_NAME.test(name))) continue
    const value = valueAt(text, at, name)
    const isProse = dashes === '' && PROSE.test(text.slice(Math.max(0, match.index - 2), at) + value)
    if (isProse || !isSecret(name, value)) continue
    shown += text.slice(from, at) + hidden(value)
    from = at + value.length
  }
  return shown + text.slice(from)
}

const isQuoteAt = (text: string, at: number): boolean => /[\\"']/.test(text.charAt(at))

function valueAt(text: string, at: number, name: string): string {
  const pattern = WHOLE.test(name) && !isQuoteAt(text, at) ? REST : VALUE
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}

function isSecret(name: string, value: string): boolean {
  const plain = value.replace(/^\\*["']/, '')
  return !plain.startsWith('<redacted') && hidesValue(name, plain.replace(/\\*["']$/, ''))
}

/** With the quotes that the value had. */
function hidden(value: string): string {
  const open = /^\\*["']/.exec(value)?.[0] ?? ''
  const isClosed = open !== '' && value.length > open.length && value.endsWith(open)
  return `${open}${HIDDEN}${isClosed ? open : ''}`
}
