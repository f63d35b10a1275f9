import { AgentError, ExitCode, type Problem } from '../../core/errors.ts'
import {
  type DeploymentChange,
  type DeploymentObject,
  deploymentPatch,
  isAvailable,
  isChanged,
  ownMark,
  RECREATE,
  type Rollout,
  strategyBackPatch,
} from '../../core/kubernetes/deployment.ts'
import { rolloutOf } from '../../core/kubernetes/rollout.ts'
import { isSameTemplate } from '../../core/kubernetes/template.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { apiOf, patchObject } from '../cluster/object.ts'
import { throughAway } from '../cluster/through-away.ts'
import type { Step, StepContext, StepResult } from '../step.ts'
import { AWAY_MS, changedByOthers, untilAvailable } from './rollout.ts'
import { settleTime } from './trial.ts'

type SwapDeployment = StepArgs['swap-deployment']

/**
 * One patch sets the image and has the old pod end before the new one starts: whatever becomes of the agent, the cluster
 * never runs two. The way back sets the old image first, and gives the strategy back once its pod is available.
 */
export const swapDeployment: Step<'swap-deployment'> = {
  moves: true,
  describe: ({ deployment: { namespace, name }, to, strategy }) =>
    `bring Deployment ${namespace}/${name} to ${to}${strategy === RECREATE ? '' : `, and its strategy from ${strategy} to ${RECREATE}`}: the old pod ends, then the new one starts; until it is up no new policy, pod label or namespace is handled`,

  async capture(args, context) {
    const rollout = await rolloutOf(apiOf(context), args.deployment)
    if (rollout === null) throw changedByOthers(args)
    refuseOthers(rollout.set, args)
    return { wasAvailable: isAvailable(rollout) }
  },

  async do(args, _before, context) {
    await throughAway(() => applyImage(args, context), AWAY_MS, context, context.signal)
  },

  async verify(args, _before, context) {
    const settleMs = settleTime(args.settleMs)
    const isOurs = ({ set }: Rollout): boolean => isChanged(set, changeOf(args, 'to'))
    return downResult(await untilAvailable({ ...args, settleMs }, isOurs, context, context.signal))
  },

  // The cluster goes on by itself: it is for the watch to say.
  async goesOn(args, _before, context) {
    const rollout = await throughAway(() => rolloutOf(apiOf(context), args.deployment), AWAY_MS, context)
    if (rollout === null || ownMark(rollout.set, args.run) === null) return false
    return isChanged(rollout.set, changeOf(args, 'to'))
  },

  async undo(args, { wasAvailable }, context) {
    try {
      return await goBack(args, wasAvailable, context)
    } catch (error) {
      if (!isByOthers(error)) throw error
      return leftAlone(args, await rolloutOf(apiOf(context), args.deployment))
    }
  },
}

function changeOf(
  { container, run, config, manifest, ...images }: SwapDeployment,
  side: 'from' | 'to',
): DeploymentChange {
  return { container, run, image: images[side], config: config?.[side], manifest: manifest?.[side] }
}

async function goBack(
  args: SwapDeployment,
  wasAvailable: boolean,
  context: StepContext,
): Promise<StepResult> {
  const { deployment, run } = args
  const api = apiOf(context)
  const rollout = await rolloutOf(api, deployment)
  if (rollout === null || ownMark(rollout.set, run) === null) return leftAlone(args, rollout)
  const ref = { kind: 'Deployment', ...deployment } as const
  const after = await patchObject(
    api,
    ref,
    (set) => ownMark(set, run) && deploymentPatch(set, changeOf(args, 'from')),
  )
  if (ownMark(after, run) === null) return leftAlone(args, { set: after, pods: [] })
  const result = wasAvailable ? await untilRestored(args, context) : {}
  await patchObject(api, ref, (set) => strategyBackPatch(set, run))
  return result
}

/** Somebody else changed or deleted the Deployment while it was watched. */
function isByOthers(error: unknown): boolean {
  return error instanceof AgentError && ['template-changed', 'kubernetes-gone'].includes(error.code)
}

/** Another host of the same rollout may have been faster. */
function refuseOthers(set: DeploymentObject, args: SwapDeployment): void {
  const isOfRun = (['from', 'to'] as const).some((side) => {
    const change = changeOf(args, side)
    const isWhole = !change.manifest || isSameTemplate(change.manifest.template, set.spec.template)
    return isWhole && isChanged(set, change)
  })
  if (!isOfRun) throw changedByOthers(args)
}

async function applyImage(args: SwapDeployment, context: StepContext): Promise<void> {
  await patchObject(apiOf(context), { kind: 'Deployment', ...args.deployment }, (set) => {
    refuseOthers(set, args)
    return deploymentPatch(set, changeOf(args, 'to'))
  })
}

async function untilRestored(args: SwapDeployment, context: StepContext): Promise<StepResult> {
  const { from } = args
  try {
    // it ran well before
    const watched = { ...args, settleMs: 0 }
    return downResult(
      await untilAvailable(watched, ({ set }) => isChanged(set, changeOf(args, 'from')), context),
    )
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'controllers-failed') throw error
    const { namespace, name } = args.deployment
    const message = `cannot bring Deployment ${namespace}/${name} back to ${from}: ${error.message.replace(/^[^:]*: /, '')}`
    const fix = `kubectl -n ${namespace} describe deployment ${name}, and its pods, shows why`
    throw new AgentError('not-restored', message, { fix, exitCode: ExitCode.stuck, cause: error })
  }
}

function downResult(downMs: number | null): StepResult {
  return downMs === null ? {} : { downMs }
}

/** It was not changed by this run, or is back, or somebody else has changed it since: theirs stays. */
function leftAlone(args: SwapDeployment, rollout: Rollout | null): StepResult {
  if (rollout && isChanged(rollout.set, changeOf(args, 'from'))) return {}
  const { namespace, name } = args.deployment
  const problem: Problem = {
    code: 'template-changed',
    severity: 'warning',
    message: `Deployment ${namespace}/${name} was ${rollout ? 'changed' : 'deleted'} by somebody else meanwhile, and is left as it is`,
    fix: `kubectl -n ${namespace} rollout history deployment/${name} shows what; kubectl -n ${namespace} rollout undo deployment/${name} goes back`,
  }
  return { problems: [problem] }
}
