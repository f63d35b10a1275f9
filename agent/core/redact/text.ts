export const HIDDEN = '<redacted>'

const SECRET_NAME = /pass(word|wd)?|pwd|secret|token|credential|api_?key|private|_key$|auth(?!ority)/i
/** Names that mean a secret in a URL, and hardly one elsewhere. */
const SECRET_PARAMETER = /signature|^(sig|key)$/i

/** Whether what is called so is a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name)
}

/** The text without what is a secret by its own form, whatever its name. */
export function redactText(text: string): string {
  return withoutParameters(withoutUsers(withoutPrivateKeys(text)))
}

/** From PEM's first line to its last, or to the end of a text that was cut. */
function withoutPrivateKeys(text: string): string {
  return text.replace(
    /-----BEGIN [A-Z0-9 ]*PRIVATE KEY[^-]*-----[^]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY[^-]*-----|$)/g,
    HIDDEN,
  )
}

const SCHEME = String.raw`\b[a-z][a-z0-9+.-]{0,30}:\/\/`
/** `[::1]`, with what may stand behind it: then an `@` further on is the path's. */
const IPV6_HOST = String.raw`\[[0-9a-f:.%]+\](?=[:/?#,"\s]|$)`
const PORT = String.raw`\d{1,5}(?=[/?#,"\s]|$)`
/** Up to the last `@` of the word, for a password may have slashes and `@`; not into the next URL of a list. */
const PASSWORD = String.raw`(?:(?!,[a-z][a-z0-9+.-]{0,30}:\/\/)\S){1,4096}`
/** Alone, a user is as often a token. */
const USER = String.raw`[^\s/:?#"<>]+`
/** `node@sha256:...` is an image. */
const AT = String.raw`@(?!sha256:)`

const USERINFO = new RegExp(
  `(${SCHEME})(?!${IPV6_HOST})(?:[^\\s/:]*:(?!${PORT})${PASSWORD}|${USER})${AT}`,
  'gi',
)

/** Hides what stands before the host in `scheme://user:password@host` and `scheme://token@host`. */
function withoutUsers(text: string): string {
  return text.replace(USERINFO, `$1${HIDDEN}@`)
}

/** Hides the values of secrets in `?name=value&...`, up to the next one, or the next URL of a list. */
function withoutParameters(text: string): string {
  return text.replace(
    /([?&;#]([^\s=&;?#]+)=)(?:(?!,[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s&"<>])+/gi,
    (all, head: string, name: string) =>
      isSecretName(name) || SECRET_PARAMETER.test(name) ? `${head}${HIDDEN}` : all,
  )
}
