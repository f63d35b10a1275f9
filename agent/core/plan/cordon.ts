import type { Observed } from '../model.ts'
import type { Wanted } from '../wanted.ts'
import type { Component, PlannedStep } from './plan.ts'

/** Controllers run anywhere: only what the pods of this host depend on is worth a cordon. */
const COMPONENTS: readonly Component[] = ['node', 'cni', 'cniConfig', 'configMap']

/** The Node to cordon while the host is worked on. */
export interface Cordon {
  node: string
  run: string
  /** Whether the run continues if it cannot be cordoned. */
  optional: boolean
}

/** Null where no cluster is configured, or if the run may continue without it. */
export function cordonOf(run: string, { cluster }: Pick<Observed, 'cluster'>, wanted: Wanted): Cordon | null {
  if (wanted.kubernetes?.cordon !== true || !cluster?.node || cluster.problem) return null
  return { node: cluster.node.name, run, optional: wanted.allow.includes('kubernetes-unreachable') }
}

/** The steps around those that change something. */
export function cordonSteps(
  cordon: Cordon | null,
  components: Component[],
): { before: PlannedStep[]; after: PlannedStep[] } {
  const component = components.find((one) => COMPONENTS.includes(one))
  if (cordon === null || component === undefined) return { before: [], after: [] }
  const { node, run, optional } = cordon
  return {
    before: [{ kind: 'cordon', component, args: { node, run, optional } }],
    after: [{ kind: 'uncordon', component, args: { node, run } }],
  }
}
