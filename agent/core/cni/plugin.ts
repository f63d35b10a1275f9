import semver from 'semver'

/**
 * The version that a plugin prints: Calico's `-v` says `v3.20.1`, the reference plugins say `CNI ptp plugin v1.1.1`.
 * Null if there is none.
 */
export function printedVersion(output: string): string | null {
  const found = /\bv?\d+\.\d+\.\d+[\w.+-]*/.exec(output.split('\n')[0] ?? '')?.[0]
  return found !== undefined && semver.valid(found) !== null ? found : null
}

/** Calico's plugin prints its version alone; null if the output is another plugin's. */
export function calicoVersion(output: string): string | null {
  const line = (output.split('\n')[0] ?? '').trim()
  return printedVersion(line) === line ? line : null
}
