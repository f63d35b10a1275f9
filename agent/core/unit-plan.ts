import { oldContainer, type Replaced, repull } from './container-swap.ts'
import { imageVersion } from './health.ts'
import { tagOf } from './image-ref.ts'
import { pullSteps, runsAlready, versionOf } from './image-state.ts'
import type { ObservedImage, ObservedNode } from './model.ts'
import { gateOf, type NodeInput } from './node-plan.ts'
import type { PlannedStep } from './plan.ts'
import type { PlanPart } from './plan-part.ts'
import { redactValue } from './redact.ts'
import type { DiffEntry } from './report.ts'
import { type FileEdit, type UnitChange, type UnitRefusal, unitChange } from './unit-change.ts'

/** Has the unit run `image`: on trial first, and for good once it is healthy. */
export function unitPart(input: NodeInput, image: ObservedImage): PlanPart {
  const { node } = input
  const change = { from: node.container.Config.Image, to: image.ref }
  if (runsAlready(node, image))
    return { component: 'node', change, prepare: [], move: [], commits: [], diff: [] }
  const to = plannedChange(node, input.run, image.ref)
  return {
    component: 'node',
    change,
    prepare: pullSteps('node', image),
    ...moves(input, to, versionOf(image)),
  }
}

/** Has the unit run what an earlier run replaced. */
export function unitBackPart(input: NodeInput, replaced: Replaced): PlanPart {
  const to = plannedChange(input.node, input.run, replaced.image)
  return {
    component: 'node',
    change: { from: input.node.container.Config.Image, to: replaced.old.image },
    prepare: repull('node', replaced),
    ...moves(input, to, imageVersion(tagOf(replaced.old.image), null)),
  }
}

/** How the unit of the node is brought to an image, or why it is not. */
export function nodeUnitChange(node: ObservedNode, run: string, to: string): UnitChange | UnitRefusal | null {
  const { container, image, unit } = node
  const tagged = [...(image?.RepoTags ?? []), ...(image?.RepoDigests ?? [])].includes(container.Config.Image)
  // a tag that moved, or is about to, no longer names what runs
  const from = tagged && container.Config.Image !== to ? container.Config.Image : container.Image
  return unit && unitChange(unit, container.Name.replace(/^\//, ''), { run, from, to })
}

function plannedChange(node: ObservedNode, run: string, to: string): UnitChange {
  const change = nodeUnitChange(node, run, to)
  if (change && 'unit' in change) return change
  throw new Error('internal error: the preflight lets no unit through that cannot be changed')
}

function moves(
  input: NodeInput,
  change: UnitChange,
  version: string | null,
): Pick<PlanPart, 'move' | 'commits' | 'diff'> {
  const swap: PlannedStep = {
    kind: 'swap-unit',
    component: 'node',
    args: { change, old: oldContainer(input.node, input.engineHostname), gate: gateOf(input, version) },
  }
  return {
    move: [swap, { kind: 'edit-unit', component: 'node', args: { change } }],
    commits: [],
    diff: change.edit === null ? [] : [fileDiff(change.edit)],
  }
}

function fileDiff({ path, before, after }: FileEdit): DiffEntry {
  return { target: path, before: withoutSecrets(before ?? ''), after: withoutSecrets(after ?? '') }
}

/** `NAME=value` wherever it stands, in an environment file or behind `-e`. */
function withoutSecrets(text: string): string {
  return text.replaceAll(
    /\b([A-Za-z_][A-Za-z0-9_]*)=([^\s"']+)/g,
    (_, name: string, value: string) => `${name}=${redactValue(name, value)}`,
  )
}
