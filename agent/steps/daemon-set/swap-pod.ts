import type { ContainerJson } from '../../core/docker/json.ts'
import { AgentError, ExitCode } from '../../core/errors.ts'
import type { Gate, StepArgs } from '../../core/plan/plan.ts'
import { isRunning } from '../container/running.ts'
import { awaitRestored, awaitSafeStop } from '../gate/await-restored.ts'
import { finalCheck, refuseAnother } from '../gate/final-check.ts'
import { watchTrial } from '../gate/gate.ts'
import { endOfTrial } from '../gate/trial-end.ts'
import type { Step, StepContext, StepResult } from '../step.ts'
import { closeDialling, openDialling } from '../window/dial-guard.ts'
import { holdRoutes, releaseRoutes } from '../window/held-routes.ts'
import { deleteAndKill, knownContainers, nextContainer, podOf, untilStarted, whyNone } from './pod.ts'
import { apiOf, applyTemplate, restoreTemplate } from './template.ts'

type SwapPod = StepArgs['swap-pod']

/** Of a pod whose start is part of the way back: images are here, the scheduler and the kubelet take some seconds. */
const RESTORE_MS = 120_000

/**
 * The one step with a window where a DaemonSet keeps the node. Its template gets the new images with OnDelete, so that no
 * pod is replaced by itself; then this host's pod is deleted, and its container killed in the same moment.
 */
export const swapPod: Step<'swap-pod'> = {
  moves: true,
  describe: ({ set, to }) =>
    `replace the pod of ${set.namespace}/${set.name} on this host: set the template to ${to} with OnDelete, delete and kill, gate`,

  async capture(args, context) {
    const { gate } = await finalCheck(args.old, args.gate, context)
    return { gate, known: await knownContainers(args, context.docker) }
  },

  async do(args, { gate, known }, context) {
    if (await nextContainer(args, known, context.docker)) return
    await applyTemplate(args, context)
    if (gate.daemons.length > 0) await holdRoutes(context)
    context.emit({ type: 'window-open', budgetMs: gate.budgetMs })
    await deleteAndKill({ pod: args.pod.name, uid: args.pod.uid, container: args.old.id }, args, context)
    await closeDialling(gate, context)
  },

  async verify(args, { gate, known }, context) {
    const deadline = context.since + gate.budgetMs - gate.reserveMs
    const found = await untilStarted(args, known, deadline, context)
    if (!found) throw noPod(await whyNone(args, context))
    const trial = await watchTrial({ gate, container: found.Id, goneAt: context.since }, context)
    await refuseAnother(args.old, found.Id, context.docker)
    return await endOfTrial(trial, found.Id, context)
  },

  // What is deleted comes back by the new template alone.
  async goesOn(args, { known }, context) {
    const found = await nextContainer(args, known, context.docker)
    if (found) return found.State.Running
    return await isOnItsWayOut(args, context)
  },

  async undo(args, { gate, known }, context) {
    const isBack = await restoreTemplate(args, context)
    const found = await nextContainer(args, known, context.docker)
    if (!found && !(await isOnItsWayOut(args, context))) {
      await Promise.all([releaseRoutes(context), openDialling(context)])
      return { window: null }
    }
    if (!isBack) throw changedByOthers(args)
    const restored = await restorePod(args, { gate, known, found }, context)
    await Promise.all([releaseRoutes(context), openDialling(context)])
    return restored
  },
}

async function isOnItsWayOut({ set, pod }: SwapPod, context: StepContext): Promise<boolean> {
  const there = await apiOf(context).get({ kind: 'Pod', namespace: set.namespace, name: pod.name })
  return there?.metadata.uid !== pod.uid || there.metadata.deletionTimestamp !== undefined
}

/** The template has the old images again: each pod that starts from now on is an old one. */
async function restorePod(
  args: SwapPod,
  { gate, known, found }: { gate: Gate; known: string[]; found: ContainerJson | undefined },
  context: StepContext,
): Promise<StepResult> {
  const { docker, clock } = context
  let goneAt = context.since
  if (!found && (await isRunning(args.old.id, docker))) {
    // the kubelet is about to end it by TERM
    await docker.killContainer(args.old.id)
    goneAt = clock.now()
  }
  let back = found
  if (found && found.Image !== args.old.imageId) {
    if (await awaitSafeStop({ gate, container: found.Id, goneAt }, context)) goneAt = clock.now()
    await deleteAndKill({ ...podOf(found), container: found.Id }, args, context)
    await closeDialling(gate, context)
    back = undefined
  }
  back ??= await untilStarted(
    args,
    [...known, ...(found ? [found.Id] : [])],
    clock.now() + RESTORE_MS,
    context,
  )
  if (!back) throw notRestored(await whyNone(args, context))
  return await awaitRestored({ gate, container: back.Id, goneAt }, context)
}

function noPod(why: string): AgentError {
  return new AgentError('gate-failed', `cannot keep the new template: ${why}`, {
    fix: 'kubectl describe the pod shows why',
  })
}

function notRestored(why: string): AgentError {
  return new AgentError('not-restored', `cannot restore the old pod: ${why}`, {
    fix: 'kubectl describe the pod shows why',
    exitCode: ExitCode.stuck,
  })
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
