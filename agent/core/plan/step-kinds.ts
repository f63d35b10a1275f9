import type { StepKind } from './plan.ts'

const KINDS: Record<StepKind, true> = {
  'pull-image': true,
  'create-container': true,
  'swap-container': true,
  'stage-binaries': true,
  'swap-binaries': true,
  'write-cni-config': true,
  'restart-kubelet': true,
  'swap-unit': true,
  'swap-pod': true,
  'restore-strategy': true,
  'edit-unit': true,
  'swap-controllers': true,
  'swap-controllers-unit': true,
  'swap-static-pod': true,
  'swap-deployment': true,
  'apply-objects': true,
  cordon: true,
  uncordon: true,
  commit: true,
  'clean-up': true,
}

/** A plan from another version of the agent may have others. */
export function isStepKind(kind: string): kind is StepKind {
  return Object.hasOwn(KINDS, kind)
}
