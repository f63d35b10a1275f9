export const HIDDEN = '<redacted>'

const SECRET_NAME =
  /pass(?!ive)(word|wd)?|pwd|secret|token|credential|(api|access)[_-]?key|private|_key$|key[_-]?data$|auth(?!ority)/i
/** Names whose values are paths of files that hold the secret. */
const PATH_NAME = /(file|path|dir|cert|key)$/i
const SECRET_ITSELF = /(secret|access|api)[_-]?key$/i
/** The shell's working directory. */
const NO_PASSWORD = /^(OLD)?PWD$/

/** Whether what is called so is a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name)
}

/** Names of secrets hide their values; paths to them are no secret. */
export function hidesValue(name: string, value: string): boolean {
  const ofPath = NO_PASSWORD.test(name) || (PATH_NAME.test(name) && !SECRET_ITSELF.test(name))
  return isSecretName(name) && value !== '' && !(value.startsWith('/') && ofPath)
}
