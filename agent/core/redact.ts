const HIDDEN = '<redacted>'
const SECRET_NAME = /pass(word|wd)?|secret|token|credential|api_?key|private|_key$|auth(?!ority)/i

/** Names whose values are paths of files that hold the secret. */
const PATH_NAME = /(file|path|dir|cert|key)$/i
const SECRET_ITSELF = /(secret|access|api)_?key$/i

/** The value as it may be shown: names of secrets hide their values, paths to them are no secret. */
export function redactValue(name: string, value: string): string {
  const isPath = value.startsWith('/') && PATH_NAME.test(name) && !SECRET_ITSELF.test(name)
  if (SECRET_NAME.test(name) && value !== '' && !isPath) return HIDDEN
  return redactUrls(value)
}

/** A command line as it may be shown: `--password=x`, `--password x` and passwords in URLs are hidden. */
export function redactArgs(args: string[]): string[] {
  return args.map((arg, i) => {
    const at = arg.indexOf('=')
    if (at >= 0) return `${redactUrls(arg.slice(0, at))}=${redactValue(arg.slice(0, at), arg.slice(at + 1))}`
    const option = args[i - 1] ?? ''
    const isValue = /^--?[^=]+$/.test(option) && !arg.startsWith('-')
    return isValue ? redactValue(option, arg) : redactUrls(arg)
  })
}

/** Hides the password in `scheme://user:password@host`. */
export function redactUrls(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/]+@/gi, `$1:${HIDDEN}@`)
}
