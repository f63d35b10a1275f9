import { AgentError, type Problem } from '../../core/errors.ts'
import { isRolledOut, isRolledOutBy, owedStrategy, strategyPatch } from '../../core/kubernetes/daemon-set.ts'
import { selectorOf } from '../../core/kubernetes/object.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { apiOf, patchObject, readObject } from '../cluster/object.ts'
import { API_RESTART_MS, throughAway } from '../cluster/through-away.ts'
import type { Step, StepContext } from '../step.ts'
import { OBSERVED_MS, untilObserved } from './observed.ts'
import { refOf } from './template.ts'

type Set = StepArgs['restore-strategy']['set']
type Needs = Pick<StepContext, 'kubernetes' | 'clock'>

/** The controller counts the pods of the template within ms as well. */
const COUNTED_MS = 30_000
const COUNT_POLL_MS = 1_000
const UNCOUNTED = `its controller has not counted its pods within ${COUNTED_MS / 1000} s`
const NOT_OBSERVED = `its controller has not observed the last change within ${OBSERVED_MS / 1000} s`

/** After the commit of the last host: restores the update strategy that the DaemonSet had before the rollout. */
export const restoreStrategy: Step<'restore-strategy'> = {
  moves: false,
  describe: ({ set }) =>
    `restore the update strategy of ${set.namespace}/${set.name}, if this is the last host`,
  capture: () => Promise.resolve({}),
  do: () => Promise.resolve(),

  async verify({ set }, _before, context) {
    return { problems: await giveStrategyBackIfDone(set, context) }
  },

  goesOn: () => Promise.resolve(true),
  undo: () => Promise.resolve({}),
}

/** The last host restores it; that others are not done yet is no problem. */
export async function giveStrategyBackIfDone(set: Set, context: Needs): Promise<Problem[]> {
  const left = await giveStrategyBack(set, context)
  return left !== null && left.why !== null ? [strategyKept(set, left)] : []
}

/** After a rollback, where one host may be done and another one not: then that is said. */
export async function giveStrategyBackOrSay(set: Set, context: Needs): Promise<Problem[]> {
  const left = await giveStrategyBack(set, context)
  return left === null ? [] : [strategyKept(set, left)]
}

/** The strategy that is still owed, and what kept it from coming back; without `why`, other hosts are not done. */
interface Left {
  owed: string | null
  why: string | null
}

async function giveStrategyBack(set: Set, context: Needs): Promise<Left | null> {
  const restore = async (): Promise<Left | null> => {
    const why = await whyNotCounted(set, context)
    const owed = owedStrategy(await patchObject(apiOf(context), refOf(set), strategyPatch))
    if (owed) return { owed: owed.type, why }
    // until then it looks like a rollout in progress, which defers the next run
    await untilObserved(set, OBSERVED_MS, context)
    return null
  }
  try {
    return await throughAway(restore, API_RESTART_MS, context)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return { owed: null, why: error.message }
  }
}

/** Waits until the status is that of the last change; else why it is not, as text. */
async function whyNotCounted(set: Set, context: Needs): Promise<string | null> {
  if (!(await untilObserved(set, OBSERVED_MS, context))) return NOT_OBSERVED
  return (await untilCounted(set, context)) ? null : UNCOUNTED
}

/** Every pod may be of the template before its controller has counted them; false where it has not done so in time. */
async function untilCounted(set: Set, context: Needs): Promise<boolean> {
  const deadline = context.clock.now() + COUNTED_MS
  for (;;) {
    const now = await readObject(apiOf(context), refOf(set))
    if (isRolledOut(now)) return true
    const pods = await apiOf(context).list({ kind: 'Pod', namespace: set.namespace }, selectorOf(now))
    if (!isRolledOutBy(now, pods)) return true
    if (context.clock.now() > deadline) return false
    await context.clock.sleep(COUNT_POLL_MS)
  }
}

function strategyKept({ namespace, name }: Set, { owed, why }: Left): Problem {
  const reason = why ?? 'not every pod is of its template'
  return {
    code: 'strategy-kept',
    severity: 'warning',
    message: `DaemonSet ${namespace}/${name} keeps its update strategy OnDelete: ${reason}`,
    fix:
      owed === null || why !== null
        ? `set it by hand: kubectl -n ${namespace} patch daemonset ${name} -p '{"spec":{"updateStrategy":{"type":"RollingUpdate"}}}'; its annotation calico-agent/template has the one from before`
        : `upgrade or roll back the other hosts: the last one brings ${owed} back`,
  }
}
