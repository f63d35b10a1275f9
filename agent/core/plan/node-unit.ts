import { imageChange, pullSteps, runsAlready } from '../docker/image-state.ts'
import type { ObservedImage } from '../model.ts'
import { oldContainer, type Replaced, repull } from './container-swap.ts'
import { gateOf, type NodeInput } from './node.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { PlannedStep } from './plan.ts'
import { aimAsked, aimBack, type UnitAim, unitDiff } from './running-unit.ts'

/** Has the unit run `image`: on trial first, permanently once it is healthy. */
export function unitPart(input: NodeInput, image: ObservedImage): PlanPart {
  const { node } = input
  const change = imageChange(node, image)
  if (runsAlready(node, image)) return unchanged('node', change)
  return {
    component: 'node',
    change,
    prepare: pullSteps('node', image),
    ...moves(input, aimAsked(node, input.run, image)),
  }
}

/** Has the unit run what an earlier run replaced. */
export function unitBackPart(input: NodeInput, replaced: Replaced): PlanPart {
  return {
    component: 'node',
    change: { from: input.node.container.Config.Image, to: replaced.old.image },
    prepare: repull('node', replaced),
    ...moves(input, aimBack(input.node, input.run, replaced)),
  }
}

function moves(input: NodeInput, aim: UnitAim): Pick<PlanPart, 'move' | 'commits' | 'diff'> {
  const { change, version } = aim
  const old = oldContainer(input.node, input.engineHostname)
  const swap: PlannedStep = {
    kind: 'swap-unit',
    component: 'node',
    args: { change, old, gate: gateOf(input, version) },
  }
  return {
    move: [swap, { kind: 'edit-unit', component: 'node', args: { change } }],
    commits: [],
    diff: unitDiff(aim, old, input.node),
  }
}
