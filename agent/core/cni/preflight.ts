import semver from 'semver'
import type { Problem } from '../errors.ts'
import type { Observed, ObservedCni } from '../model.ts'
import { isInstalled } from '../plan/cni.ts'
import { askedVersion } from '../release/node-versions.ts'
import type { WantedCni } from '../wanted.ts'
import { unsupportedVersion } from './version.ts'

/** From here on, a plugin reads this host's name from a file that calico/node writes. */
const NEEDS_NODENAME = '3.1.0'
const NODENAME_MOUNT = '/var/lib/calico'

/** What prevents the use of the source's CNI plugins. */
export function cniBinaryProblems(cni: ObservedCni, wanted: WantedCni, cniVersion: string | null): Problem[] {
  return [...cni.problems, ...pinProblems(cni, wanted), ...tooOldProblems(cni, cniVersion)]
}

/** Problems with the planned CNI config; plugins that could not be tried yet are asked when staged. */
function tooOldProblems({ tried = [] }: ObservedCni, cniVersion: string | null): Problem[] {
  return tried.flatMap(({ name, known }): Problem[] => {
    const tooOld = cniVersion === null || known === null ? null : unsupportedVersion(cniVersion, known)
    if (tooOld === null) return []
    const message = `cannot use the CNI plugin ${name}: ${tooOld.reason}`
    return [{ code: 'cni-binary-too-old', severity: 'error', message, fix: tooOld.fix }]
  })
}

function pinProblems({ offered }: ObservedCni, { sha256 }: WantedCni): Problem[] {
  return (offered ?? []).flatMap(({ name, sha256: found }) => {
    const pinned = sha256[name]
    if (pinned === undefined || pinned === found) return []
    return [
      {
        code: 'cni-binary-checksum',
        severity: 'error' as const,
        message: `cannot use the CNI plugin ${name}: its SHA-256 is ${found}, expected ${pinned}`,
        fix: 'check that this is the source you want, and check cni.sha256 in the config',
      },
    ]
  })
}

/** A plugin without this host's name fails every pod. A node that is swapped in the same run writes it first. */
export function nodenameProblem(
  observed: Observed,
  cni: ObservedCni,
): Pick<Problem, 'message' | 'fix'> | null {
  const { version, nodename } = cni
  if (isInstalled(cni)) return null
  if (version !== null && semver.lt(version, NEEDS_NODENAME)) return null
  if (nodename.written || nodename.optional || nodeWritesName(observed)) return null
  const [which, why] =
    version === null
      ? [
          'the CNI plugins',
          'their version is unknown, and since v3.1 they fail every pod if /var/lib/calico/nodename is missing, as it is here',
        ]
      : [`CNI plugins ${version}`, '/var/lib/calico/nodename is missing, and without it they fail every pod']
  return {
    message: `cannot install ${which}: ${why}`,
    fix: `run calico/node v3.1 or later with -v ${NODENAME_MOUNT}:${NODENAME_MOUNT} first, or set nodename_file_optional: true with cni.merge`,
  }
}

function nodeWritesName({ node, image }: Observed): boolean {
  const version = image && askedVersion(image)
  if (!node || version === null || semver.lt(version, '3.0.0')) return false
  return node.container.Mounts.some(({ Destination, RW }) => Destination === NODENAME_MOUNT && RW)
}
