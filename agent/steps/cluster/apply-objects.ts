import { AgentError, ExitCode, type Problem } from '../../core/errors.ts'
import { patchBetween } from '../../core/json/merge-patch.ts'
import { isSameJson } from '../../core/json/same.ts'
import {
  asWritten,
  kubectlGet,
  type ObjectChange,
  refOf,
  refText,
  type Written,
} from '../../core/kubernetes/manifest.ts'
import type { Step, StepContext } from '../step.ts'
import { apiOf } from './object.ts'
import { API_RESTART_MS, throughAway } from './through-away.ts'

/** Without them what the cluster keeps in them would be lost. */
const KEPT = ['CustomResourceDefinition', 'Namespace']

/**
 * Applies the objects of a manifest that Calico's pods need: roles, accounts, definitions. On the way back what was changed
 * is restored; what was created stays, as nothing that ran before uses it.
 */
export const applyObjects: Step<'apply-objects'> = {
  // the pods that need them are back before
  undoneLast: true,
  moves: true,
  describe: ({ path, objects }) =>
    `apply ${objects.length} ${objects.length === 1 ? 'object' : 'objects'} of ${path}: ${objects.map(({ object }) => refText(refOf(object))).join(', ')}`,

  async capture({ objects }, context) {
    const applied: number[] = []
    for (const [i, change] of objects.entries()) if (await isApplied(change, context)) applied.push(i)
    return { applied }
  },

  async do({ objects }, _before, context) {
    for (const { object } of objects)
      await throughAway(() => apiOf(context).applyObject(object), API_RESTART_MS, context, context.signal)
  },

  verify: () => Promise.resolve({}),
  async goesOn({ objects }, _before, context) {
    for (const change of objects) if ((await sideOf(change, context)) === null) return false
    return true
  },

  async undo({ objects }, { applied }, context) {
    const problems: Problem[] = []
    const own = objects.filter((_, i) => !applied.includes(i))
    for (const change of own.toReversed())
      problems.push(...(await throughAway(() => restore(change, context), API_RESTART_MS, context)))
    return { problems }
  },
}

async function now({ object }: ObjectChange, context: StepContext): Promise<Written | null> {
  const found = await apiOf(context).getObject(refOf(object))
  return found && asWritten(found)
}

/** As it was, or as it shall be; null where somebody else has made it otherwise. */
async function sideOf(change: ObjectChange, context: StepContext): Promise<'before' | 'after' | null> {
  const found = await now(change, context)
  if (isSameJson(found, change.after)) return 'after'
  return isSameJson(found, change.before) ? 'before' : null
}

/** Another host of the same rollout may have been faster: then it is that host's to take back. */
async function isApplied(change: ObjectChange, context: StepContext): Promise<boolean> {
  const side = await sideOf(change, context)
  if (side !== null) return side === 'after'
  const ref = refOf(change.object)
  throw new AgentError(
    'manifest-changed',
    `cannot change ${refText(ref)}: someone else changed it during the run`,
    {
      fix: `check it: ${kubectlGet(ref)}; then run the upgrade again`,
      exitCode: ExitCode.refused,
    },
  )
}

/** What others have made of it since stays, and is said. */
async function restore(change: ObjectChange, context: StepContext): Promise<Problem[]> {
  const { object, before, after } = change
  const found = await now(change, context)
  if (before === null || KEPT.includes(object.kind) || found === null || isSameJson(found, before)) return []
  if (!isSameJson(found, after)) return [leftAlone(change)]
  await apiOf(context).patchObject(refOf(object), patchBetween(after, before))
  return []
}

function leftAlone({ object }: ObjectChange): Problem {
  const ref = refOf(object)
  return {
    code: 'manifest-changed',
    severity: 'warning',
    message: `${refText(ref)} was changed by someone else during the run, and is left as it is`,
    fix: `check it: ${kubectlGet(ref)}`,
  }
}
