import { AgentError, ExitCode, type Problem } from '../../core/errors.ts'
import {
  type ConfigKeys,
  type ConfigMapChange,
  type ConfigMapObject,
  isSameKeys,
  keysPatch,
  valuesOf,
} from '../../core/kubernetes/config-map.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { apiOf, patchObject, readObject } from '../cluster/object.ts'
import type { StepContext } from '../step.ts'

type Change = StepArgs['swap-pod']['configMap']

const refOf = ({ namespace, name }: ConfigMapChange) => ({ kind: 'ConfigMap', namespace, name }) as const

/** @throws AgentError `config-map-changed` where it is not what the plan was made from any more */
export async function checkConfigMap(change: Change, context: StepContext): Promise<void> {
  if (change) refuseOthers(await readObject(apiOf(context), refOf(change)), change)
}

/** Gives it the asked keys, before the first pod that reads them. */
export async function writeConfigMap(change: Change, context: StepContext): Promise<void> {
  if (!change) return
  const write = (now: ConfigMapObject) => {
    refuseOthers(now, change)
    return isSameKeys(change.after, valuesOf(now, change.after)) ? null : keysPatch(now, change)
  }
  await patchObject(apiOf(context), refOf(change), write, 'merge')
}

/**
 * Restores the keys before a pod reads them again or, where the pod has not moved, those that the plan found: the rollout
 * that other hosts began goes on. What others have written stays, and is said.
 */
export async function restoreConfigMap(
  change: Change,
  isMoved: boolean,
  context: StepContext,
): Promise<Problem[]> {
  if (!change) return []
  const keys = isMoved ? change.before : change.now
  const restore = (map: ConfigMapObject) => {
    const values = valuesOf(map, keys)
    return !isOfRun(change, values) || isSameKeys(keys, values)
      ? null
      : keysPatch(map, { ...change, after: keys, mark: null })
  }
  const after = await patchObject(apiOf(context), refOf(change), restore, 'merge')
  return isSameKeys(keys, valuesOf(after, keys)) ? [] : [leftAlone(change)]
}

function refuseOthers(map: ConfigMapObject, change: ConfigMapChange): void {
  if (isOfRun(change, valuesOf(map, change.after))) return
  const { namespace, name } = change
  throw new AgentError(
    'config-map-changed',
    `cannot change ConfigMap ${namespace}/${name}: someone else changed it during the run`,
    {
      fix: `check kubectl -n ${namespace} get configmap ${name} -o yaml, then run the upgrade again`,
      exitCode: ExitCode.refused,
    },
  )
}

function isOfRun({ before, now, after }: ConfigMapChange, values: ConfigKeys): boolean {
  return [before, now, after].some((keys) => isSameKeys(keys, values))
}

function leftAlone({ namespace, name }: ConfigMapChange): Problem {
  return {
    code: 'config-map-changed',
    severity: 'warning',
    message: `ConfigMap ${namespace}/${name} was changed by someone else during the run, and is left as it is`,
    fix: `check kubectl -n ${namespace} get configmap ${name} -o yaml`,
  }
}
