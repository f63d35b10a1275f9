import { sourceText } from '../core/plan/cni.ts'
import { configName } from '../core/plan/config-map.ts'
import { manifestName } from '../core/plan/manifest.ts'
import type { Component, Plan } from '../core/plan/plan.ts'
import type { Wanted } from '../core/wanted.ts'
import { isCommittedRun, isStuck, moves, type RunState } from '../journal/run-state.ts'

/** Why the service does not apply a target by itself, according to the newest run. */
export interface HeldTarget {
  /** Null where the journals cannot be read. */
  run: string | null
  reason: string
  /** The run needs an operator: the service applies nothing else either. */
  stuck: boolean
}

/** The requested version of each component; null if it has no name. */
export type Target = Partial<Record<Component, string | null>>

export function targetOf({ node, cni, cniConfig, configMap, manifest, controllers }: Wanted): Target {
  return {
    ...(node.image !== null && { node: node.image }),
    ...(cni.source && { cni: sourceText(cni.source) }),
    ...(cniConfig && { cniConfig: null }),
    ...(configMap && { configMap: configName(configMap.mark) }),
    ...(manifest && { manifest: manifestName(manifest.mark) }),
    // they are started again with the config
    ...(configMap && { controllers: configName(configMap.mark) }),
    ...(controllers.image !== null && { controllers: controllers.image }),
  }
}

/** What the run went to, whatever is requested by now. */
export function namesOf({ components }: Plan): Target {
  return Object.fromEntries(Object.entries(components).map(([component, { to }]) => [component, to]))
}

/** In one line, for people; null if nothing is requested. */
export function targetText(target: Target): string | null {
  const names = new Set(Object.values(target).map((name) => name ?? 'cni.merge'))
  return names.size === 0 ? null : [...names].join(', ')
}

/** Outcomes of an upgrade that was undone, fully or partly. */
const FAILED: (string | null)[] = ['rolled-back', 'partial']

/** Undone for no fault of the target's: an operator stopped the run or took its turn away, or controllers are down. */
const NO_VERDICT = ['cancelled', 'slot-held', 'fleet-halted', 'daemonset-not-observed']

/** How often a run may be cut off before its target is held: the target may be what takes the host down. */
const CUT_OFF_LIMIT = 2

/**
 * Whether the newest runs speak against the target: it failed and was rolled back, an operator rolled it back, or the
 * host or the agent died in the middle of it twice in a row. `history` is newest first.
 */
export function heldTarget(history: RunState[], target: Target): HeldTarget | null {
  const runs = moves(history)
  const [last] = runs
  if (last === undefined) return null
  const { run, command } = last.plan
  if (isStuck(last)) return { run, reason: 'it is stuck', stuck: true }
  if (command === 'rollback') {
    const away = isCommittedRun(last) && concerns(last.plan, target, 'from')
    return away ? { run, reason: `it rolled ${targetText(target) ?? 'this'} back`, stuck: false } : null
  }
  if (!concerns(last.plan, target, 'to') || !FAILED.includes(last.outcome)) return null
  return failedWith(runs, target, run)
}

function failedWith(runs: RunState[], target: Target, run: string): HeldTarget | null {
  const { unwinding } = runs[0] ?? {}
  if (unwinding && NO_VERDICT.includes(unwinding.code)) return null
  if (unwinding?.code !== 'interrupted')
    return { run, reason: unwinding?.message ?? 'it failed and was rolled back', stuck: false }
  const other = runs.findIndex(
    (one) => one.unwinding?.code !== 'interrupted' || !concerns(one.plan, target, 'to'),
  )
  const cutOff = other < 0 ? runs.length : other
  const reason = `runs to ${targetText(target) ?? 'this'} were interrupted ${cutOff} times in a row`
  return cutOff < CUT_OFF_LIMIT ? null : { run, reason, stuck: false }
}

/** Whether the run went to the target, or away from it: compares every component of the run. */
export function concerns({ components }: Plan, target: Target, end: 'from' | 'to'): boolean {
  const parts = Object.entries(components) as [Component, { from: string; to: string }][]
  return parts.length > 0 && parts.every(([part, change]) => isSame(target[part], change[end]))
}

function isSame(asked: string | null | undefined, name: string): boolean {
  return asked === null || asked === name
}
