import type { Problem } from '../errors.ts'

/**
 * Makes a plugin print the CNI specification versions that it supports; config on stdin (SPEC.md, VERSION).
 * Plugins built before it ask for the dummies of each command (libcni pkg/invoke/exec.go).
 */
export const versionQuestion = {
  env: { CNI_COMMAND: 'VERSION', CNI_NETNS: 'dummy', CNI_IFNAME: 'dummy', CNI_PATH: 'dummy' },
  stdin: '{"cniVersion":"0.4.0"}',
} as const

/** CNI specification versions that a plugin supports, or why it does not say. */
export type CniAnswer = { known: string[] } | { failure: string }

/** What a config without `cniVersion` asks for (libcni pkg/version/conf.go). */
const FIRST_VERSION = '0.1.0'

/**
 * CNI specification versions that a plugin supports, from its stdout; null if that is not an answer. A plugin that failed
 * has not answered, unless it is older than VERSION: its refusal says that it supports only 0.1.0
 * (libcni invoke/raw_exec.go, pkg/version/plugin.go).
 */
export function supportedCniVersions(stdout: string, endedWell: boolean): string[] | null {
  const { msg, cniVersion, supportedVersions } = parseReply(stdout) ?? {}
  if (typeof msg === 'string' && msg.includes('unknown CNI_COMMAND')) return [FIRST_VERSION]
  if (!endedWell || typeof cniVersion !== 'string') return null
  if (Array.isArray(supportedVersions) && supportedVersions.length > 0) {
    const known = supportedVersions.filter((version): version is string => typeof version === 'string')
    return known.length === supportedVersions.length ? known : null
  }
  return cniVersion === '0.2.0' ? [FIRST_VERSION, '0.2.0'] : null
}

export function silentPlugin(path: string, failure: string): Problem {
  return {
    code: 'cni-plugin-silent',
    severity: 'error',
    message: `cannot determine which CNI versions ${path} supports: ${failure}`,
    fix: `echo '${versionQuestion.stdin}' | CNI_COMMAND=VERSION ${path}`,
  }
}

/** Why a plugin is too old for the version that a config asks for, and what to do; null where it is not. */
export function unsupportedVersion(
  cniVersion: string,
  known: string[],
): { reason: string; fix: string } | null {
  if (known.includes(cniVersion)) return null
  return {
    reason: `the CNI config sets cniVersion ${cniVersion}, and it supports ${known.join(', ')}`,
    fix: 'set cniVersion with cni.merge, or use another source',
  }
}

/** The version that a config asks for. */
export function askedCniVersion(cniVersion: unknown): string {
  return typeof cniVersion === 'string' && cniVersion !== '' ? cniVersion : FIRST_VERSION
}

function parseReply(stdout: string): Record<string, unknown> | null {
  try {
    const reply: unknown = JSON.parse(stdout)
    const isObject = typeof reply === 'object' && reply !== null && !Array.isArray(reply)
    return isObject ? (reply as Record<string, unknown>) : null
  } catch {
    return null
  }
}
