import { AgentError, type Problem } from '../../core/errors.ts'
import { type DaemonSetObject, owedStrategy, strategyPatch } from '../../core/kubernetes/daemon-set.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import type { Step, StepContext } from '../step.ts'
import { apiOf, patchDaemonSet } from './template.ts'

type Set = StepArgs['restore-strategy']['set']

/** The controller of the DaemonSet looks at a change within ms, unless it is away. */
const LOOKED_AT_MS = 5_000
const POLL_MS = 200

/** After the commit of the last host: the DaemonSet gets the update strategy back that it had before the rollout. */
export const restoreStrategy: Step<'restore-strategy'> = {
  moves: false,
  describe: ({ set }) =>
    `restore the update strategy of ${set.namespace}/${set.name}, if this is the last host`,
  capture: () => Promise.resolve({}),
  do: () => Promise.resolve(),

  async verify({ set }, _before, context) {
    const left = await giveStrategyBack(set, context)
    return left !== null && 'problem' in left ? { problems: [left.problem] } : {}
  },

  goesOn: () => Promise.resolve(true),
  undo: () => Promise.resolve({}),
}

/** After a way back, on which the DaemonSet may have one host done and another one not: then that is said. */
export async function giveStrategyBackOrSay(set: Set, context: StepContext): Promise<Problem[]> {
  const left = await giveStrategyBack(set, context)
  if (left === null) return []
  return ['problem' in left ? left.problem : strategyKept(set, left.owed)]
}

/** Null where nothing is left to give back. */
async function giveStrategyBack(
  set: Set,
  context: StepContext,
): Promise<null | { owed: string } | { problem: Problem }> {
  try {
    await untilLookedAt(set, context)
    const after = await patchDaemonSet(apiOf(context), set, strategyPatch)
    const owed = owedStrategy(after)
    return owed && { owed: owed.type }
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return { problem: { ...error.asProblem(), severity: 'warning' } }
  }
}

/** Its status tells how many pods are of the template only once its controller has seen the last change. */
async function untilLookedAt(set: Set, context: StepContext): Promise<void> {
  const deadline = context.clock.now() + LOOKED_AT_MS
  const isLookedAt = ({ metadata, status = {} }: DaemonSetObject): boolean =>
    (status.observedGeneration ?? 0) >= metadata.generation
  for (;;) {
    const now = await patchDaemonSet(apiOf(context), set, () => null)
    if (owedStrategy(now) === null || isLookedAt(now) || context.clock.now() > deadline) return
    await context.clock.sleep(POLL_MS)
  }
}

function strategyKept({ namespace, name }: Set, owed: string): Problem {
  return {
    code: 'strategy-kept',
    severity: 'warning',
    message: `DaemonSet ${namespace}/${name} keeps its update strategy OnDelete: not every pod is of its template`,
    fix: `upgrade or roll back the other hosts: the last one brings ${owed} back`,
  }
}
