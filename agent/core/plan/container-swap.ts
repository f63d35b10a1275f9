import { containerDiff, runByDiff, type Side } from '../docker/container-diff.ts'
import { containerSpec, trialSpec } from '../docker/container-spec.ts'
import { mustPull, pullSteps, type RunningImage } from '../docker/image-state.ts'
import type { ContainerConfig } from '../docker/json.ts'
import type { ObservedImage } from '../model.ts'
import type { DiffEntry } from '../report/report.ts'
import type { Component, ContainerCommit, NextContainer, OldContainer, PlannedStep } from './plan.ts'

export interface SwapInput {
  component: Component
  run: string
  /** Value of the label by which the new container is found again. */
  label: string
  running: RunningImage
  engineHostname: string
}

/** The steps around the swap of one container for another, which node and controllers share. */
export interface ContainerSwap {
  old: OldContainer
  next: NextContainer
  prepare: PlannedStep[]
  commits: ContainerCommit[]
  diff: DiffEntry[]
}

/** For a container of `image`. */
export function swapToImage(input: SwapInput, image: ObservedImage): ContainerSwap {
  const { component, label, running } = input
  const old = oldContainer(running, input.engineHostname)
  const next: NextContainer = { createdBy: label }
  const diff = containerDiff(old.name, ...imageSides(old, running, imageAsked(image)))
  const prepare = [...pullSteps(component, image), createStep(input, old, image.ref)]
  return { old, next, prepare, commits: [commitOf(input, old, next)], diff: [diff] }
}

/** A container that an earlier run replaced: parked, or gone and to be recreated. */
export interface Replaced {
  old: OldContainer
  parked: boolean
  /** What to create it from when it is not parked: its image's id while this host has it. */
  image: string
  imageIsLocal: boolean
  /** What that image sets; null if this host does not have it. */
  imageConfig: Partial<ContainerConfig> | null
}

/** The image to create a container from, and what it sets; null if that is not known here. */
export interface NextImage {
  ref: string
  config: Partial<ContainerConfig> | null
}

export function imageAsked(image: ObservedImage): NextImage {
  return { ref: image.ref, config: mustPull(image) ? null : (image.local?.Config ?? null) }
}

export function imageBefore({ old, imageConfig }: Replaced): NextImage {
  return { ref: old.image, config: imageConfig }
}

/** For a container that a unit or a manifest describes. */
export function imageDiff(old: OldContainer, running: RunningImage, next: NextImage): DiffEntry[] {
  return runByDiff(old.name, ...imageSides(old, running, next))
}

/** The container as it was created, but from another image. */
function imageSides({ spec }: OldContainer, running: RunningImage, next: NextImage): [Side, Side] {
  const after = { ...spec, body: { ...spec.body, Image: next.ref } }
  return [
    { spec, imageConfig: running.image?.Config ?? null },
    { spec: after, imageConfig: next.config },
  ]
}

/** For the container that an earlier run replaced. */
export function swapBack(input: SwapInput, replaced: Replaced): ContainerSwap {
  const old = oldContainer(input.running, input.engineHostname)
  const next: NextContainer = replaced.parked ? { parked: replaced.old.id } : { createdBy: input.label }
  const diff = containerDiff(
    old.name,
    { spec: old.spec, imageConfig: input.running.image?.Config ?? null },
    { spec: replaced.old.spec, imageConfig: replaced.imageConfig },
  )
  const again = [...repull(input.component, replaced), createStep(input, replaced.old, replaced.image)]
  const prepare = replaced.parked ? [] : again
  return { old, next, prepare, commits: [commitOf(input, old, next)], diff: [diff] }
}

/** The pull of an image that ran here before and is gone. */
export function repull(component: Component, { image, imageIsLocal, old }: Replaced): PlannedStep[] {
  return imageIsLocal ? [] : [{ kind: 'pull-image', component, args: { image, id: old.imageId } }]
}

function createStep(
  { component, run, label }: SwapInput,
  { name, spec }: OldContainer,
  image: string,
): PlannedStep {
  const args = { name: `${name}-next-${run}`, run: label, spec: trialSpec(spec, image, label) }
  return { kind: 'create-container', component, args }
}

function commitOf({ run }: SwapInput, old: OldContainer, next: NextContainer): ContainerCommit {
  return { old, next, parkName: `${old.name}-parked-${run}` }
}

export function oldContainer({ container, image }: RunningImage, engineHostname: string): OldContainer {
  return {
    id: container.Id,
    name: container.Name.replace(/^\//, ''),
    policy: container.HostConfig.RestartPolicy,
    wasRunning: container.State.Running,
    autoRemove: container.HostConfig.AutoRemove === true,
    spec: containerSpec(container, image, engineHostname),
    image: container.Config.Image,
    imageId: container.Image,
  }
}
