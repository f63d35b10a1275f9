import semver from 'semver'
import { imageVersion } from '../docker/health.ts'
import { tagOf } from '../docker/image-ref.ts'
import { imageChange, runsAlready } from '../docker/image-state.ts'
import type { ObservedControllers, ObservedImage } from '../model.ts'
import { staticPodProblem } from '../pod/static-pod.ts'
import { askedVersion } from '../release/node-versions.ts'
import type { Wanted } from '../wanted.ts'
import { type ContainerSwap, type Replaced, swapBack, swapToImage } from './container-swap.ts'
import { type PlanPart, unchanged } from './part.ts'
import { unitChangeOf } from './running-unit.ts'

export interface ControllersInput {
  run: string
  wanted: Pick<Wanted, 'settleMs'>
  engineHostname: string
  controllers: ObservedControllers
}

/** They run here, and their owner can be switched to another image. */
export function canBeUpgraded(controllers: ObservedControllers, image: string): boolean {
  const { container, owner, pod } = controllers
  if (pod) return container.State.Running && staticPodProblem(pod, container) === null
  const change = unitChangeOf(controllers, '', image)
  const isRefused = change !== null && 'why' in change
  return container.State.Running && owner.kind !== 'kubelet' && !isRefused
}

/** Replaces the running controllers with those of `image`. */
export function controllersPart(input: ControllersInput, image: ObservedImage): PlanPart {
  const { controllers } = input
  const change = imageChange(controllers, image)
  if (runsAlready(controllers, image)) return unchanged('controllers', change)
  const swap = swapToImage(swapInput(input), image)
  const version = askedVersion(image)
  return { component: 'controllers', change, ...partOf(input, swap, version) }
}

/** Restores the controllers that an earlier run replaced. */
export function controllersBackPart(input: ControllersInput, replaced: Replaced): PlanPart {
  const change = { from: input.controllers.container.Config.Image, to: replaced.old.image }
  const swap = swapBack(swapInput(input), replaced)
  const version = imageVersion(tagOf(replaced.old.image), null)
  return { component: 'controllers', change, ...partOf(input, swap, version) }
}

/** They have a separate label: the run's own label finds the new calico/node. */
function swapInput({ run, controllers, engineHostname }: ControllersInput) {
  const label = `${run}-controllers`
  return { component: 'controllers' as const, run, label, running: controllers, engineHostname }
}

function partOf(
  { wanted: { settleMs } }: ControllersInput,
  { old, next, prepare, commits, diff }: ContainerSwap,
  version: string | null,
): Omit<PlanPart, 'component' | 'change'> {
  const args = { old, next, check: statusCheck(version), settleMs }
  return {
    prepare,
    move: [{ kind: 'swap-controllers', component: 'controllers', args }],
    commits,
    commitsAlone: true,
    diff,
  }
}

/** `check-status` came with v3.2; the image has no shell to run it by from v3.7 on. */
export function statusCheck(version: string | null): string[] | null {
  return version !== null && semver.gte(version, '3.2.0') ? ['/usr/bin/check-status', '-r'] : null
}
