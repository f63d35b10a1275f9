import { imageVersion } from '../docker/health.ts'
import { tagOf } from '../docker/image-ref.ts'
import { imageChange, pullSteps, runsAlready } from '../docker/image-state.ts'
import type { ObservedImage } from '../model.ts'
import { askedVersion } from '../release/node-versions.ts'
import type { UnitChange } from '../unit/change.ts'
import {
  imageAsked,
  imageBefore,
  imageDiff,
  type NextImage,
  oldContainer,
  type Replaced,
  repull,
} from './container-swap.ts'
import { gateOf, type NodeInput } from './node.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { PlannedStep } from './plan.ts'
import { plannedChange, unitDiff } from './running-unit.ts'

/** Has the unit run `image`: on trial first, and for good once it is healthy. */
export function unitPart(input: NodeInput, image: ObservedImage): PlanPart {
  const { node } = input
  const change = imageChange(node, image)
  if (runsAlready(node, image)) return unchanged('node', change)
  const to = plannedChange(node, input.run, image.ref)
  const version = askedVersion(image)
  return {
    component: 'node',
    change,
    prepare: pullSteps('node', image),
    ...moves(input, { change: to, version, next: imageAsked(image) }),
  }
}

/** Has the unit run what an earlier run replaced. */
export function unitBackPart(input: NodeInput, replaced: Replaced): PlanPart {
  const to = plannedChange(input.node, input.run, replaced.image)
  const version = imageVersion(tagOf(replaced.old.image), null)
  return {
    component: 'node',
    change: { from: input.node.container.Config.Image, to: replaced.old.image },
    prepare: repull('node', replaced),
    ...moves(input, { change: to, version, next: imageBefore(replaced) }),
  }
}

/** `version` is that of `next`; null where it is not known. */
interface Aim {
  change: UnitChange
  version: string | null
  next: NextImage
}

function moves(
  input: NodeInput,
  { change, version, next }: Aim,
): Pick<PlanPart, 'move' | 'commits' | 'diff'> {
  const old = oldContainer(input.node, input.engineHostname)
  const swap: PlannedStep = {
    kind: 'swap-unit',
    component: 'node',
    args: { change, old, gate: gateOf(input, version) },
  }
  return {
    move: [swap, { kind: 'edit-unit', component: 'node', args: { change } }],
    commits: [],
    diff: [...unitDiff(change), ...imageDiff(old, input.node, next)],
  }
}
