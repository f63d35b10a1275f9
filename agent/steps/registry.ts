import type { PlannedStep, StepArgs, StepKind } from '../core/plan/plan.ts'
import { cleanUp } from './clean-up.ts'
import { commit } from './commit.ts'
import { createContainer } from './create-container.ts'
import { editUnit } from './edit-unit.ts'
import { pullImage } from './pull-image.ts'
import { restartKubelet } from './restart-kubelet.ts'
import { stageBinaries } from './stage-binaries.ts'
import type { Step, StepBefore, StepContext, StepResult } from './step.ts'
import { swapBinaries } from './swap-binaries.ts'
import { swapContainer } from './swap-container.ts'
import { swapControllers } from './swap-controllers.ts'
import { swapControllersUnit } from './swap-controllers-unit.ts'
import { swapStaticPod } from './swap-static-pod.ts'
import { swapUnit } from './swap-unit.ts'
import { writeCniConfig } from './write-cni-config.ts'

/** One executor per kind: a kind without one does not compile. */
const registry: { [K in StepKind]: Step<K> } = {
  'pull-image': pullImage,
  'create-container': createContainer,
  'swap-container': swapContainer,
  'stage-binaries': stageBinaries,
  'swap-binaries': swapBinaries,
  'write-cni-config': writeCniConfig,
  'restart-kubelet': restartKubelet,
  'swap-unit': swapUnit,
  'edit-unit': editUnit,
  'swap-controllers': swapControllers,
  'swap-controllers-unit': swapControllersUnit,
  'swap-static-pod': swapStaticPod,
  commit,
  'clean-up': cleanUp,
}

/** A planned step bound to its executor. */
export interface BoundStep {
  readonly kind: StepKind
  readonly moves: boolean
  readonly summary: string
  capture(context: StepContext): Promise<unknown>
  do(before: unknown, context: StepContext): Promise<void>
  verify(before: unknown, context: StepContext): Promise<StepResult>
  goesOn(before: unknown, context: StepContext): Promise<boolean>
  tookHold(before: unknown, context: StepContext): Promise<boolean>
  undo(before: unknown, context: StepContext): Promise<StepResult>
}

export function bindStep(step: PlannedStep): BoundStep {
  return bind(step.kind, step.args as never)
}

function bind<K extends StepKind>(kind: K, args: StepArgs[K]): BoundStep {
  const executor = registry[kind]
  return {
    kind,
    moves: executor.moves,
    summary: executor.describe(args),
    capture: (context) => executor.capture(args, context),
    do: (before, context) => executor.do(args, before as StepBefore[K], context),
    verify: (before, context) => executor.verify(args, before as StepBefore[K], context),
    goesOn: (before, context) => executor.goesOn(args, before as StepBefore[K], context),
    tookHold: async (before, context) =>
      (await executor.tookHold?.(args, before as StepBefore[K], context)) ?? true,
    undo: (before, context) => executor.undo(args, before as StepBefore[K], context),
  }
}
