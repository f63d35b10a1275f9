import { AgentError } from './errors.ts'

/** Set for a plugin to tell the versions of the CNI specification that it knows, config on stdin (SPEC.md, VERSION). */
export const versionQuestion = {
  env: {
    CNI_COMMAND: 'VERSION',
    CNI_CONTAINERID: '',
    CNI_NETNS: '',
    CNI_IFNAME: '',
    CNI_ARGS: '',
    CNI_PATH: '',
  },
  stdin: '{"cniVersion":"0.4.0"}',
} as const

/** What a config without `cniVersion` asks for (libcni pkg/version/conf.go). */
const FIRST_VERSION = '0.1.0'

/**
 * Versions of the CNI specification that a plugin knows, by what it printed on stdout, whatever its exit code.
 * Plugins older than VERSION itself know 0.1.0 only (libcni invoke/raw_exec.go, pkg/version/plugin.go).
 * @throws AgentError `cni-plugin-silent` where the reply is none
 */
export function supportedCniVersions(stdout: string, plugin: string): string[] {
  const reply = parseReply(stdout)
  if (reply === null) throw silent(plugin, stdout)
  const { msg, cniVersion, supportedVersions } = reply
  if (typeof msg === 'string' && msg.includes('unknown CNI_COMMAND')) return [FIRST_VERSION]
  if (typeof cniVersion !== 'string') throw silent(plugin, stdout)
  if (Array.isArray(supportedVersions) && supportedVersions.length > 0) {
    const known = supportedVersions.filter((version): version is string => typeof version === 'string')
    if (known.length === supportedVersions.length) return known
  } else if (cniVersion === '0.2.0') {
    return [FIRST_VERSION, '0.2.0']
  }
  throw silent(plugin, stdout)
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

function silent(plugin: string, stdout: string): AgentError {
  const shown = stdout.trim() === '' ? 'nothing' : JSON.stringify(stdout.trim().slice(0, 100))
  return new AgentError(
    'cni-plugin-silent',
    `cannot tell which CNI versions ${plugin} knows: it answered ${shown} to CNI_COMMAND=VERSION`,
    { fix: `echo '{"cniVersion":"0.4.0"}' | CNI_COMMAND=VERSION ${plugin}` },
  )
}
