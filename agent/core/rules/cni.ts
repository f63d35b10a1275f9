import semver from 'semver'
import { isInstalled } from '../cni-plan.ts'
import { versionOf } from '../image-state.ts'
import type { Observed, ObservedCni, WantedCni } from '../model.ts'
import { cniImageRules } from './image.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

/** From here on a plugin takes this host's name from a file that calico/node writes. */
const NEEDS_NODENAME = '3.1.0'
const FIRST_THAT_WRITES = '3.0.0'
const NODENAME_DIR = '/var/lib/calico'

/** The CNI plugins can be had, are the ones that are meant, and work on this host. */
export const cniRules: Rule[] = [
  ...cniImageRules,
  ...rulesOn(
    ({ cni }, wanted) => cni && { cni, wanted: wanted.cni },
    [
      {
        code: 'cni-bin-dir-unusable',
        severity: 'error',
        about: 'the source has the CNI plugins, and they can be put in their directory',
        seen: ({ wanted }) => wanted.binDir,
        // Each with its own code.
        check: ({ cni }) => cni.problems,
      },
      {
        code: 'cni-binary-checksum',
        severity: 'error',
        about: 'the CNI plugins are the ones that cni.sha256 pins',
        seen: ({ cni }) =>
          cni.offered?.map(({ name, sha256 }) => `${name} ${sha256.slice(0, 12)}`).join(', ') ??
          'not pulled yet',
        check: ({ cni, wanted }) => pinObjections(cni, wanted),
      },
    ],
  ),
  ...rulesOn(
    (observed) =>
      observed.cni === null || isInstalled(observed.cni) ? null : { observed, cni: observed.cni },
    [
      {
        code: 'cni-needs-nodename',
        severity: 'error',
        allowable: true,
        about: `CNI plugins of v3.1 or later find this host's name in ${NODENAME_DIR}/nodename`,
        seen: ({ cni: { nodename, version } }) =>
          nodename.written
            ? 'it is there'
            : nodename.optional
              ? 'they need it not'
              : (version ?? 'the node writes it'),
        check: ({ observed, cni }) => nodenameObjection(observed, cni),
      },
    ],
  ),
]

function pinObjections({ offered }: ObservedCni, { sha256 }: WantedCni): Objection[] {
  return (offered ?? []).flatMap(({ name, sha256: found }) => {
    const pinned = sha256[name]
    if (pinned === undefined || pinned === found) return []
    return [
      {
        message: `cannot use the CNI plugin ${name}: its SHA-256 is ${found}, wanted is ${pinned}`,
        fix: 'see whether the source is what is meant, and cni.sha256 in the config',
      },
    ]
  })
}

/** A plugin without this host's name fails every pod. A node that is swapped in the same run writes it first. */
function nodenameObjection(observed: Observed, { version, nodename }: ObservedCni): Objection | null {
  if (version !== null && semver.lt(version, NEEDS_NODENAME)) return null
  if (nodename.written || nodename.optional || nodeWritesName(observed)) return null
  const which = version === null ? 'CNI plugins of v3.1 or later' : `CNI plugins ${version}`
  return {
    message: `cannot put ${which} in place: ${NODENAME_DIR}/nodename is missing, and without it they fail every pod`,
    fix: `run calico/node v3.1 or later with -v ${NODENAME_DIR}:${NODENAME_DIR} first, or set nodename_file_optional: true by cni.merge`,
  }
}

function nodeWritesName({ node, image }: Observed): boolean {
  const version = image && versionOf(image)
  if (!node || version === null || semver.lt(version, FIRST_THAT_WRITES)) return false
  return node.container.Mounts.some(({ Destination, RW }) => Destination === NODENAME_DIR && RW)
}
