import { known } from '../known.ts'
import { kubectlGet, refText } from '../kubernetes/manifest.ts'
import type { ObservedManifest } from '../kubernetes/observed-manifest.ts'
import type { Objection, Rule } from './rule.ts'
import { rulesOn } from './rule.ts'

/** `hosted.manifest` can be applied, and takes nothing from anybody. */
export const manifestRules: Rule[] = [
  ...rulesOn(
    ({ manifest }) => manifest ?? null,
    [
      {
        code: 'manifest',
        severity: 'error',
        about: 'the agent can apply the manifest',
        seen: (found) => ('problem' in found ? '' : found.path),
        check: (found) => ('problem' in found ? found.problem : null),
      },
    ],
  ),
  ...rulesOn(
    ({ manifest }) => known(manifest),
    [
      {
        code: 'manifest-conflict',
        severity: 'error',
        allowable: true,
        about: 'nobody else has changed what the manifest sets',
        seen: ({ mark }) => `manifest ${mark}`,
        check: (found) => groupsOf(found).flatMap((group) => conflictOf(found, group)),
      },
    ],
  ),
]

type Conflicts = ObservedManifest['conflicts']

/** Of one object and one who changed it. */
function groupsOf({ conflicts }: ObservedManifest): Conflicts[] {
  const groups = Map.groupBy(conflicts, ({ of, manager }) => `${refText(of)} ${manager}`)
  return [...groups.values()]
}

function conflictOf({ path }: ObservedManifest, group: Conflicts): Objection[] {
  const [first] = group
  if (first === undefined) return []
  const { of, manager } = first
  return [
    {
      message: `cannot apply ${path}: it would overwrite fields of ${refText(of)} that ${manager} has set: ${group.map(({ field }) => field).join(', ')}`,
      fix: `write it to the manifest as well: ${kubectlGet(of)} shows it`,
    },
  ]
}
