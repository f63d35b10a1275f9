import { AgentError, ExitCode, type Problem } from '../../core/errors.ts'
import type { ConfigMapChange } from '../../core/kubernetes/config-map.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { changedImages } from '../../core/plan/swapped-images.ts'
import { API_RESTART_MS, throughAway } from '../cluster/through-away.ts'
import { isRunning } from '../container/running.ts'
import { finalCheck, refuseAnother } from '../gate/final-check.ts'
import { watchTrial } from '../gate/gate.ts'
import { endOfTrial } from '../gate/trial-end.ts'
import type { Step, StepContext, StepResult } from '../step.ts'
import { closeDialling, openDialling } from '../window/dial-guard.ts'
import { holdRoutes, releaseRoutes } from '../window/held-routes.ts'
import { checkConfigMap, restoreConfigMap, writeConfigMap } from './config-map.ts'
import { killAndDelete, untilStarted, withKeptDown } from './kill-pod.ts'
import { cannotKeep, untilOthersRun, whyOther } from './made-from.ts'
import { untilObserved, untilTemplateObserved } from './observed.ts'
import { isOnItsWayOut, knownContainers, nextContainer, startedSince, whyNone } from './pod.ts'
import { restorePod } from './restore-pod.ts'
import { giveStrategyBackOrSay } from './restore-strategy.ts'
import { applyTemplate, checkTemplate, isStillApplied, restoreTemplate } from './template.ts'

type SwapPod = StepArgs['swap-pod']

/** For how long the final look at the peers is good for a kill. */
const LOOK_LASTS_MS = 1_000
/** What the way back may wait for the controller, while calico/node is away. */
const SOON_MS = 5_000

/**
 * The one step with a window if a DaemonSet owns the node. Its template gets the new images with OnDelete, so that no
 * pod is replaced by itself; then this host's container is killed, and its pod deleted in the same moment.
 */
export const swapPod: Step<'swap-pod'> = {
  moves: true,
  describe: ({ set, configMap, ...args }) =>
    `replace the pod of ${set.namespace}/${set.name} on this host: ${configMap ? keysSet(configMap) : ''}set the template to ${imageSet(args)} with OnDelete, kill and delete, gate`,

  async capture(args, context) {
    await checkTemplate(args, context)
    await checkConfigMap(args.configMap, context)
    const { gate } = await finalCheck(args.old, args.gate, context)
    return { gate, known: await knownContainers(args, context.docker) }
  },

  async do(args, { gate, known }, context) {
    if (await nextContainer(args, known, context.docker)) return
    const since = context.clock.now()
    await throughAway(() => writeTemplate(args, context), API_RESTART_MS, context, context.signal)
    // by an agent that died since
    const isOut = await isOnItsWayOut(args, args.pod, context)
    if (!isOut) await untilTemplateObserved(args, context)
    if (!isOut && context.clock.now() - since > LOOK_LASTS_MS) await finalCheck(args.old, args.gate, context)
    if (gate.daemons.length > 0) await holdRoutes(context)
    context.emit({ type: 'window-open', budgetMs: gate.budgetMs })
    await killAndDelete(args.pod, args, context)
    await closeDialling(gate, context)
  },

  async verify(args, { gate, known }, context) {
    const deadline = context.since + gate.budgetMs - gate.reserveMs
    const found = await untilStarted(args, known, deadline, context)
    if (!found) throw noPod(args, await whyNone(args, context))
    const watch = watchTrial({ gate, container: found.Id, goneAt: context.since }, context)
    const trial = await withKeptDown(watch, new Set([args.pod.uid]), args, context)
    await refuseAnother(args.old, found.Id, context.docker)
    const passed = await endOfTrial(trial, found.Id, context)
    const why = await whyOther(args, found, context)
    if (why !== null) throw (await isStillApplied(args, context)) ? ofOther(args, why) : changedByOthers(args)
    await untilOthersRun(args, found, context)
    return passed
  },

  // A deleted pod comes back only from the new template.
  async goesOn(args, { known }, context) {
    const found = await nextContainer(args, known, context.docker)
    if (found) return found.State.Running
    return await isOnItsWayOut(args, args.pod, context)
  },

  async undo(args, { gate }, context) {
    const isOut = await isOnItsWayOut(args, args.pod, context)
    const isKilled = !(await isRunning(args.old.id, context.docker))
    // the kubelet is about to stop it with TERM
    if (isOut && !isKilled) await context.docker.killContainer(args.old.id)
    const isMoved = isOut || isKilled
    const isBack = await restoreTemplate(args, isMoved, context)
    const kept = await restoreConfigMap(args.configMap, isMoved, context)
    const misled = args.configMap ? await startedSince(args, context.docker) : []
    const stays: StepResult | null = isMoved ? null : { window: null }
    const deleted = isOut ? [args.pod.uid] : []
    // a pod of the new template may still be made, and is taken away then
    if (isMoved && isBack) await untilObserved(args.set, SOON_MS, context)
    const restored = isMoved && isBack ? await restorePod(args, { gate, misled, deleted }, context) : stays
    await Promise.all([releaseRoutes(context), openDialling(context)])
    if (restored === null) throw changedByOthers(args)
    const left = isMoved || isBack ? [] : [templateLeft(args)]
    const problems = await giveStrategyBackOrSay(args.set, context)
    return { ...restored, problems: [...kept, ...left, ...(restored.problems ?? []), ...problems] }
  },
}

async function writeTemplate(args: SwapPod, context: StepContext): Promise<void> {
  await writeConfigMap(args.configMap, context)
  await applyTemplate(args, context)
}

/** Nothing where an earlier host of the rollout has set them. */
function keysSet({ namespace, name, now, after }: ConfigMapChange): string {
  const keys = Object.keys(after).filter((key) => after[key] !== now[key])
  return keys.length === 0 ? '' : `set ${keys.join(', ')} in ConfigMap ${namespace}/${name}, `
}

/** The plugins' image, where calico/node stays as it is. */
function imageSet({ from, to, images }: Pick<SwapPod, 'from' | 'to' | 'images'>): string {
  return (from === to && changedImages(images)[0]?.to) || to
}

function noPod({ set: { namespace } }: SwapPod, why: string): AgentError {
  return new AgentError('gate-failed', `cannot keep the new template: ${why}`, {
    fix: `kubectl -n ${namespace} describe pods shows why`,
  })
}

function ofOther(args: SwapPod, why: string): AgentError {
  return cannotKeep(
    args,
    why,
    `kubectl -n ${args.set.namespace} get pods -o yaml shows it; run the command again`,
  )
}

function templateLeft({ set: { namespace, name } }: SwapPod): Problem {
  return {
    code: 'template-changed',
    severity: 'warning',
    message: `the template of DaemonSet ${namespace}/${name} was changed by someone else during the run, and is left as it is`,
    fix: `check kubectl -n ${namespace} rollout history daemonset/${name}`,
  }
}

function changedByOthers({ set: { namespace, name } }: SwapPod): AgentError {
  return new AgentError(
    'template-changed',
    `cannot roll back: someone else changed the template of DaemonSet ${namespace}/${name} during the run`,
    {
      fix: `check kubectl -n ${namespace} rollout history daemonset/${name}; the pod of this host stays as it is`,
      exitCode: ExitCode.stuck,
    },
  )
}
