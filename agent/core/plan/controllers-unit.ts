import { imageChange, pullSteps, runsAlready } from '../docker/image-state.ts'
import type { ObservedImage } from '../model.ts'
import { oldContainer, type Replaced, repull } from './container-swap.ts'
import { type ControllersInput, statusCheck } from './controllers.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { PlannedStep } from './plan.ts'
import { aimAsked, aimBack, type UnitAim, unitDiff } from './running-unit.ts'

/** Has the unit run controllers of `image`: on trial first, permanently once they are healthy. */
export function controllersUnitPart(input: ControllersInput, image: ObservedImage): PlanPart {
  const { controllers, run } = input
  const change = imageChange(controllers, image)
  if (runsAlready(controllers, image)) return unchanged('controllers', change)
  const prepare = pullSteps('controllers', image)
  return {
    component: 'controllers',
    change,
    prepare,
    ...moves(input, aimAsked(controllers, run, image)),
  }
}

/** Has the unit run the controllers that an earlier run replaced. */
export function controllersUnitBackPart(input: ControllersInput, replaced: Replaced): PlanPart {
  const { controllers, run } = input
  return {
    component: 'controllers',
    change: { from: controllers.container.Config.Image, to: replaced.old.image },
    prepare: repull('controllers', replaced),
    ...moves(input, aimBack(controllers, run, replaced)),
  }
}

function moves(
  { controllers, engineHostname, wanted: { settleMs } }: ControllersInput,
  aim: UnitAim,
): Pick<PlanPart, 'move' | 'commits' | 'commitsAlone' | 'diff'> {
  const { change, version } = aim
  const old = oldContainer(controllers, engineHostname)
  const swap: PlannedStep = {
    kind: 'swap-controllers-unit',
    component: 'controllers',
    args: { change, old, check: statusCheck(version), settleMs },
  }
  return {
    move: [swap, { kind: 'edit-unit', component: 'controllers', args: { change } }],
    commits: [],
    commitsAlone: true,
    diff: unitDiff(aim, old, controllers),
  }
}
