import type { Plan, StepArgs, StepKind } from '../plan.ts'
import { configLines, pluginLines } from './cni.ts'
import { containersLines, nodeLines } from './container.ts'
import { podLines } from './daemon-set.ts'
import { deploymentLines } from './deployment.ts'
import { objectLines } from './objects.ts'
import { staticPodLines } from './static-pod.ts'
import type { StuckRun } from './stuck-run.ts'
import { controllersUnitLines, nodeUnitLines } from './unit.ts'

/** For each kind of step that changes something: how to see the state, restore the old, and keep the new. */
const LINES: { [K in StepKind]?: (args: StepArgs[K], run: StuckRun) => string[] } = {
  'swap-container': nodeLines,
  'swap-unit': nodeUnitLines,
  'swap-pod': podLines,
  'swap-binaries': pluginLines,
  'write-cni-config': configLines,
  'swap-controllers': containersLines,
  'swap-controllers-unit': controllersUnitLines,
  'swap-static-pod': staticPodLines,
  'swap-deployment': deploymentLines,
  'apply-objects': objectLines,
  cordon: ({ node, run }) => [
    `once the host is settled: kubectl uncordon ${node}, if run ${run} cordoned it: kubectl describe node ${node} shows its annotation calico-agent/cordoned-by`,
  ],
}

/** The commands that settle a stuck run by hand; null for a run that moved nothing. */
export function settleByHand({ steps }: Plan, journal: string): string | null {
  const lines = steps.flatMap((step) => linesOf(step, { steps, journal }))
  if (lines.length === 0) return null
  return [...lines, `the journal ${journal} has all values, including the hidden ones`].join('\n')
}

function linesOf<K extends StepKind>(step: { kind: K; args: StepArgs[K] }, run: StuckRun): string[] {
  return LINES[step.kind]?.(step.args, run) ?? []
}
