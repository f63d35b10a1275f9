import { birdBaseline } from './bird-phase.ts'
import { containerDiff } from './container-diff.ts'
import { containerSpec, trialSpec } from './container-spec.ts'
import { envMap, healthChecks, imageVersion } from './health.ts'
import { tagOf } from './image-ref.ts'
import { mustPull, pullSteps, runsAlready, versionOf } from './image-state.ts'
import type { ObservedImage, ObservedNode, Wanted } from './model.ts'
import type { Change, Gate, NextContainer, OldContainer, PlannedStep } from './plan.ts'
import type { PlanPart } from './plan-part.ts'
import { windowBudget } from './window.ts'

export interface NodeInput {
  run: string
  wanted: Pick<Wanted, 'windowMs' | 'settleMs'>
  engineHostname: string
  node: ObservedNode
}

/** Puts a container of `image` in place of the one that runs. */
export function nodePart(input: NodeInput, image: ObservedImage): PlanPart {
  const { node, run } = input
  const change: Change = { from: node.container.Config.Image, to: image.ref }
  if (runsAlready(node, image))
    return { component: 'node', change, prepare: [], move: [], commits: [], diff: [] }
  const old = oldContainer(input)
  const after = { ...old.spec, body: { ...old.spec.body, Image: image.ref } }
  const diff = containerDiff(
    old.name,
    { spec: old.spec, imageConfig: node.image?.Config ?? null },
    { spec: after, imageConfig: mustPull(image) ? null : (image.local?.Config ?? null) },
  )
  return {
    component: 'node',
    change,
    prepare: [...pullSteps('node', image), createStep(input, old, image.ref)],
    ...swapAndCommit(input, old, { createdBy: run }, versionOf(image)),
    diff: [diff],
  }
}

/** A container that an earlier run replaced: parked, or gone and to be made again. */
export interface Replaced {
  old: OldContainer
  parked: boolean
  /** What to create it from when it is not parked: its image's id while this host has it. */
  image: string
  imageIsLocal: boolean
}

/** Puts back the container that an earlier run replaced. */
export function nodeBackPart(input: NodeInput, replaced: Replaced): PlanPart {
  const { node } = input
  const old = oldContainer(input)
  const next: NextContainer = replaced.parked ? { parked: replaced.old.id } : { createdBy: input.run }
  const diff = containerDiff(
    old.name,
    { spec: old.spec, imageConfig: null },
    { spec: replaced.old.spec, imageConfig: null },
  )
  return {
    component: 'node',
    change: { from: node.container.Config.Image, to: replaced.old.image },
    prepare: replaced.parked ? [] : recreateSteps(input, replaced),
    ...swapAndCommit(input, old, next, imageVersion(tagOf(replaced.old.image), null)),
    diff: [diff],
  }
}

function recreateSteps(input: NodeInput, replaced: Replaced): PlannedStep[] {
  return [...repull(replaced), createStep(input, replaced.old, replaced.image)]
}

/** The pull of an image that ran here before and is gone. */
export function repull({ image, imageIsLocal }: Replaced): PlannedStep[] {
  return imageIsLocal ? [] : [{ kind: 'pull-image', component: 'node', args: { image } }]
}

function createStep({ run }: NodeInput, { name, spec }: OldContainer, image: string): PlannedStep {
  const args = { name: `${name}-next-${run}`, run, spec: trialSpec(spec, image, run) }
  return { kind: 'create-container', component: 'node', args }
}

function swapAndCommit(
  input: NodeInput,
  old: OldContainer,
  next: NextContainer,
  version: string | null,
): Pick<PlanPart, 'move' | 'commits'> {
  const gate = gateOf(input, version)
  return {
    move: [{ kind: 'swap-container', component: 'node', args: { old, next, gate } }],
    commits: [{ old, next, parkName: `${old.name}-parked-${input.run}` }],
  }
}

export function gateOf({ node, wanted }: NodeInput, version: string | null): Gate {
  const announcedMs = node.daemons.length > 0 ? node.announcedMs : Infinity
  return {
    ...windowBudget(announcedMs, wanted.windowMs),
    settleMs: wanted.settleMs,
    daemons: node.daemons.map(({ endpoint, view }) => ({ endpoint, baseline: birdBaseline(view) })),
    health: healthChecks(envMap(node.container.Config.Env), version),
  }
}

export function oldContainer({ node, engineHostname }: NodeInput): OldContainer {
  const { container } = node
  return {
    id: container.Id,
    name: container.Name.replace(/^\//, ''),
    policy: container.HostConfig.RestartPolicy,
    wasRunning: container.State.Running,
    autoRemove: container.HostConfig.AutoRemove === true,
    spec: containerSpec(container, node.image, engineHostname),
    image: container.Config.Image,
    imageId: container.Image,
  }
}
