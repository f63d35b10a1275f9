import semver from 'semver'

/**
 * The version that a plugin prints: Calico's `-v` says `v3.20.1`, the reference plugins say `CNI ptp plugin v1.1.1`.
 * Null where none stands there.
 */
export function printedVersion(output: string): string | null {
  const found = /\bv?\d+\.\d+\.\d+[\w.+-]*/.exec(output.split('\n')[0] ?? '')?.[0]
  return found !== undefined && semver.valid(found) !== null ? found : null
}

/** Calico's plugin prints its version alone; null where the words are another plugin's. */
export function calicoVersion(output: string): string | null {
  const line = (output.split('\n')[0] ?? '').trim()
  return printedVersion(line) === line ? line : null
}

/** The CNI versions of a plugin's answer to VERSION (CNI spec, "VERSION"); null where it is no such answer. */
export function supportedCniVersions(answer: string): string[] | null {
  try {
    const parsed: unknown = JSON.parse(answer)
    if (typeof parsed !== 'object' || parsed === null || !('supportedVersions' in parsed)) return null
    const versions: unknown = parsed.supportedVersions
    if (!Array.isArray(versions)) return null
    const named = versions.filter((version): version is string => typeof version === 'string')
    return named.length > 0 && named.length === versions.length ? named : null
  } catch {
    return null
  }
}
