import semver from 'semver'
import { AgentError } from '../../core/errors.ts'

/** What `/version` of the API server answers, as far as it is read. */
interface Version {
  gitVersion?: string
}

/** By default since 1.13. An older API server refuses a dry run, or takes no notice of the word and does it. */
export function hasDryRun(version: unknown): boolean {
  const { gitVersion = '' } = (version ?? {}) as Version
  const number = semver.coerce(gitVersion)
  return number !== null && semver.gte(number, '1.13.0')
}

/** A webhook that is not asked in a dry run, for its side effects (admissionregistration.k8s.io/v1beta1). */
export function isWebhookUnasked(error: unknown): boolean {
  return error instanceof AgentError && error.message.includes('does not support dry run')
}
