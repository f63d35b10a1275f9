import { withoutNamed } from './named.ts'
import { HIDDEN, isSecretName } from './names.ts'

/** Names that mean a secret in a URL, and hardly one elsewhere. */
const SECRET_PARAMETER = /signature|^(sig|key)$/i

/**
 * The text without its secrets: those that their own form gives away, whatever they are called, and those behind a name
 * that does. Redact before a text is cut: half a URL no longer looks like one.
 */
export function redactText(text: string): string {
  return withoutTokens(withoutNamed(withoutParameters(withoutUsers(withoutPrivateKeys(text)))))
}

/** Headers of HTTP; tokens of AWS, GitHub and GitLab; a JWT; PEM in base64, as a kubeconfig has it. */
const TOKENS =
  /(?<=\b(?:[Bb]asic|[Bb]earer|BASIC|BEARER) +)(?=\S*[\d=+/])[\w.~+/=-]{8,}|\b(?:AKIA|ASIA)[A-Z\d]{16}\b|\b(?:gh[a-z]|github_pat|glpat)[_-][\w-]{16,}|\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?|\bLS0tLS1CRUdJTi[\w+/]*={0,2}/g

function withoutTokens(text: string): string {
  return text.replace(TOKENS, HIDDEN)
}

/** From PEM's first line to its last, or to where the text was cut. */
function withoutPrivateKeys(text: string): string {
  if (!text.includes('PRIVATE KEY')) return text
  const end = String.raw`-----END [A-Z0-9 ]*PRIVATE KEY[^-]*-----`
  return text
    .replace(new RegExp(`^(?:(?!-----BEGIN)[^])*?${end}`), HIDDEN)
    .replace(new RegExp(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY[^-]*-----[^]*?(?:${end}|$)`, 'g'), HIDDEN)
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
  if (!text.includes('://')) return text
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
