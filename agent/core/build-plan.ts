import { birdBaseline } from './bird-phase.ts'
import { containerDiff } from './container-diff.ts'
import { containerSpec, trialSpec } from './container-spec.ts'
import { envMap, healthChecks, imageVersion } from './health.ts'
import { parseImageRef, repository, tagOf } from './image-ref.ts'
import type { ObservedImage, ObservedNode, Wanted } from './model.ts'
import type { Change, Gate, NextContainer, OldContainer, Plan, PlannedStep } from './plan.ts'
import type { DiffEntry } from './report.ts'
import { windowBudget } from './window.ts'

/** What an earlier commit left behind, as far as retention no longer keeps it. */
export interface Leftovers {
  containers: string[]
  images: string[]
}

export interface PlanInput {
  run: string
  wanted: Wanted
  engineHostname: string
  node: ObservedNode
  leftovers: Leftovers
}

export interface PlannedChange {
  plan: Plan
  diff: DiffEntry[]
}

/** The plan that puts `image` in place of what runs; no steps where it runs already. */
export function upgradePlan(input: PlanInput & { image: ObservedImage }): PlannedChange {
  const { node, image, run } = input
  const { name, old } = oldContainer(input)
  const change: Change = { from: node.container.Config.Image, to: image.ref }
  if (runsAlready(node, image))
    return { plan: { run, command: 'upgrade', components: { node: change }, steps: [] }, diff: [] }
  const spec = trialSpec(old.spec, image.ref, run)
  const steps: PlannedStep[] = [
    ...(mustPull(image) ? [pullStep(image.ref)] : []),
    { kind: 'create-container', component: 'node', args: { name: `${name}-next-${run}`, run, spec } },
    ...swapSteps(input, old, { createdBy: run }, imageVersionOf(image)),
  ]
  const after = { ...old.spec, body: { ...old.spec.body, Image: image.ref } }
  const diff = containerDiff(
    name,
    { spec: old.spec, imageConfig: node.image?.Config ?? null },
    { spec: after, imageConfig: mustPull(image) ? null : (image.local?.Config ?? null) },
  )
  return { plan: { run, command: 'upgrade', components: { node: change }, steps }, diff: [diff] }
}

/** A container that an earlier run replaced: parked, or gone and to be made again. */
export interface Replaced {
  old: OldContainer
  parked: boolean
  /** What to create it from when it is not parked: its image's id while this host has it. */
  image: string
  imageIsLocal: boolean
}

/** The plan that puts back what an earlier run replaced. */
export function rollbackPlan(input: PlanInput & { replaced: Replaced }): PlannedChange {
  const { node, run, replaced } = input
  const { name, old } = oldContainer(input)
  const change: Change = { from: node.container.Config.Image, to: replaced.old.image }
  const spec = trialSpec(replaced.old.spec, replaced.image, run)
  const create: PlannedStep[] = [
    ...(replaced.imageIsLocal ? [] : [pullStep(replaced.image)]),
    { kind: 'create-container', component: 'node', args: { name: `${name}-next-${run}`, run, spec } },
  ]
  const next: NextContainer = replaced.parked ? { parked: replaced.old.id } : { createdBy: run }
  const version = imageVersion(tagOf(replaced.old.image), null)
  const steps = [...(replaced.parked ? [] : create), ...swapSteps(input, old, next, version)]
  const diff = containerDiff(
    name,
    { spec: old.spec, imageConfig: null },
    { spec: replaced.old.spec, imageConfig: null },
  )
  return { plan: { run, command: 'rollback', components: { node: change }, steps }, diff: [diff] }
}

/** The plan that only fetches. */
export function prefetchPlan(run: string, image: ObservedImage, from: string): Plan {
  const steps = mustPull(image) ? [pullStep(image.ref)] : []
  return { run, command: 'prefetch', components: { node: { from, to: image.ref } }, steps }
}

function pullStep(image: string): PlannedStep {
  return { kind: 'pull-image', component: 'node', args: { image } }
}

function swapSteps(
  input: PlanInput,
  old: OldContainer,
  next: NextContainer,
  version: string | null,
): PlannedStep[] {
  const { run, leftovers } = input
  const gate = gateOf(input, version)
  return [
    { kind: 'swap-container', component: 'node', args: { old, next, gate } },
    { kind: 'commit', component: 'node', args: { old, next, parkName: `${old.name}-parked-${run}` } },
    ...(leftovers.containers.length + leftovers.images.length > 0
      ? [{ kind: 'clean-up' as const, component: 'node' as const, args: leftovers }]
      : []),
  ]
}

function gateOf({ node, wanted }: PlanInput, version: string | null): Gate {
  const announcedMs = node.daemons.length > 0 ? node.announcedMs : Infinity
  return {
    ...windowBudget(announcedMs, wanted.windowMs),
    settleMs: wanted.settleMs,
    daemons: node.daemons.map(({ endpoint, view }) => ({ endpoint, baseline: birdBaseline(view) })),
    health: healthChecks(envMap(node.container.Config.Env), version),
  }
}

function oldContainer({ node, engineHostname }: PlanInput): { name: string; old: OldContainer } {
  const { container } = node
  const name = container.Name.replace(/^\//, '')
  const old: OldContainer = {
    id: container.Id,
    name,
    policy: container.HostConfig.RestartPolicy,
    wasRunning: container.State.Running,
    autoRemove: container.HostConfig.AutoRemove === true,
    spec: containerSpec(container, node.image, engineHostname),
    image: container.Config.Image,
    imageId: container.Image,
  }
  return { name, old }
}

function imageVersionOf({ ref, local }: ObservedImage): string | null {
  return imageVersion(parseImageRef(ref).tag ?? null, local?.Config?.Labels)
}

/** By digest where the registry answers: a mutable tag that moved is a change. */
export function runsAlready(node: ObservedNode, image: ObservedImage): boolean {
  if (!node.container.State.Running) return false
  const { remote } = image
  // a digest is the content's, whatever the repository
  if ('digest' in remote)
    return (node.image?.RepoDigests ?? []).some((known) => known.endsWith(`@${remote.digest}`))
  return image.local?.Id === node.container.Image
}

function mustPull({ ref, local, remote }: ObservedImage): boolean {
  return 'digest' in remote ? !hasDigest(local, ref, remote.digest) : local === null
}

function hasDigest(image: { RepoDigests: string[] | null } | null, ref: string, digest: string): boolean {
  const wanted = repository(parseImageRef(ref))
  return (image?.RepoDigests ?? []).some((known) => {
    const parsed = parseImageRef(known)
    return parsed.digest === digest && repository(parsed) === wanted
  })
}
