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
import { type ControllersInput, statusCheck } from './controllers.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { PlannedStep } from './plan.ts'
import { plannedChange, unitDiff } from './running-unit.ts'

/** Has the unit run controllers of `image`: on trial first, and for good once they are healthy. */
export function controllersUnitPart(input: ControllersInput, image: ObservedImage): PlanPart {
  const { controllers, run } = input
  const change = imageChange(controllers, image)
  if (runsAlready(controllers, image)) return unchanged('controllers', change)
  const version = askedVersion(image)
  const prepare = pullSteps('controllers', image)
  return {
    component: 'controllers',
    change,
    prepare,
    ...moves(input, { change: plannedChange(controllers, run, image.ref), version, next: imageAsked(image) }),
  }
}

/** Has the unit run the controllers that an earlier run replaced. */
export function controllersUnitBackPart(input: ControllersInput, replaced: Replaced): PlanPart {
  const { controllers, run } = input
  return {
    component: 'controllers',
    change: { from: controllers.container.Config.Image, to: replaced.old.image },
    prepare: repull('controllers', replaced),
    ...moves(input, {
      change: plannedChange(controllers, run, replaced.image),
      version: imageVersion(tagOf(replaced.old.image), null),
      next: imageBefore(replaced),
    }),
  }
}

/** `version` is that of `next`; null where it is not known. */
interface Aim {
  change: UnitChange
  version: string | null
  next: NextImage
}

function moves(
  { controllers, engineHostname, wanted: { settleMs } }: ControllersInput,
  { change, version, next }: Aim,
): Pick<PlanPart, 'move' | 'commits' | 'commitsAlone' | 'diff'> {
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
    diff: [...unitDiff(change), ...imageDiff(old, controllers, next)],
  }
}
