import type { PlannedStep, StepArgs, StepKind } from '../core/plan/plan.ts'
import { applyObjects } from './cluster/apply-objects.ts'
import { restartKubelet } from './cni/restart-kubelet.ts'
import { stageBinaries } from './cni/stage-binaries.ts'
import { swapBinaries } from './cni/swap-binaries.ts'
import { writeCniConfig } from './cni/write-cni-config.ts'
import { cleanUp } from './commit/clean-up.ts'
import { commit } from './commit/commit.ts'
import { swapControllers } from './controllers/swap-controllers.ts'
import { swapControllersUnit } from './controllers/swap-controllers-unit.ts'
import { swapDeployment } from './controllers/swap-deployment.ts'
import { cordon } from './cordon/cordon.ts'
import { uncordon } from './cordon/uncordon.ts'
import { restoreStrategy } from './daemon-set/restore-strategy.ts'
import { swapPod } from './daemon-set/swap-pod.ts'
import { pullImage } from './image/pull-image.ts'
import { createContainer } from './node/create-container.ts'
import { swapContainer } from './node/swap-container.ts'
import { swapStaticPod } from './static-pod/swap-static-pod.ts'
import type { Step, StepBefore, StepContext, StepResult } from './step.ts'
import { editUnit } from './unit/edit-unit.ts'
import { swapUnit } from './unit/swap-unit.ts'

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
  'swap-pod': swapPod,
  'restore-strategy': restoreStrategy,
  'edit-unit': editUnit,
  'swap-controllers': swapControllers,
  'swap-controllers-unit': swapControllersUnit,
  'swap-static-pod': swapStaticPod,
  'swap-deployment': swapDeployment,
  'apply-objects': applyObjects,
  cordon,
  uncordon,
  commit,
  'clean-up': cleanUp,
}

/** A planned step bound to its executor. */
export interface BoundStep {
  readonly kind: StepKind
  readonly moves: boolean
  readonly undoneLast: boolean
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
    undoneLast: executor.undoneLast === true,
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
