import type { ContainerJson } from '../../core/docker/json.ts'
import type { OldContainer } from '../../core/plan/plan.ts'
import { isRunning } from '../container/running.ts'
import { foundAsPlanned } from '../gate/final-check.ts'
import type { Step, StepContext } from '../step.ts'
import { refuseChangedFile, tryEditBack } from '../unit/edit-unit.ts'
import { putTrial, removeTrial, restartUnit } from '../unit/restart.ts'
import { awaitStarted, type SettledUnit, settledUnit } from '../unit/standing.ts'
import { isNew, noContainerReason, restartOld, unitNotRestored } from '../unit/trial.ts'
import { downTime, runningPeriod, stoppedAt, wallTime } from './gap.ts'
import { gateFailed, notRestored, passedCheck, untilHealthy } from './trial.ts'

/**
 * systemd stops the old controllers and starts the new ones in one job, on trial by a drop-in under /run. Two never run
 * at once: the stop command returns when the old container is dead and removed, and Docker gives its name, which the
 * unit asks for, to one container only. A reboot brings the old ones back.
 */
export const swapControllersUnit: Step<'swap-controllers-unit'> = {
  moves: true,
  describe: ({ change: { unit, container, to } }) =>
    `restart ${unit}: wait until ${container} has stopped, then start it from ${to}; until it is up, new policies, pod labels and namespaces are not handled`,

  async capture({ change, old, check }, context) {
    await foundAsPlanned(old, context)
    if (change.edit !== null) await refuseChangedFile(change.edit, context)
    return { check: await passedCheck(old.id, check, context) }
  },

  async do({ change, old }, _before, context) {
    // an interrupted try may have got this far
    if (isNew((await settledUnit(change, null, context)).found, old)) return
    await putTrial(change, change.trial.forward, context)
    const isNext = (found: ContainerJson) => isNew(found, old)
    await restartUnit({ change, image: change.to, oldId: old.id, isNext }, context)
  },

  async verify({ change, old, check: planned, settleMs }, { check = planned }, context) {
    const found = await context.docker.inspectContainer(change.container)
    if (!isNew(found, old)) throw gateFailed(await noContainerReason(change, context))
    await untilHealthy(found.Id, check, settleMs, context)
    await awaitStarted(change, context)
    return downTime(stoppedAt(await context.docker.inspectContainer(old.id), context), found)
  },

  async goesOn({ change, old }, _before, context) {
    const { found, isSettled } = await settledUnit(change, null, context)
    return isSettled && isNew(found, old) && found.State.Running
  },

  /** A container that a job in progress is about to stop does not count as running. */
  async undo({ change, old }, _before, context) {
    const standing = await settledUnit(change, null, context)
    const { found } = standing
    const isUntouched = found?.Id === old.id && runsOld(standing, old)
    const unedited = isUntouched ? null : await tryEditBack(change, context)
    let back = found
    // the restart below counts from the last sign of life of what runs now
    const onWay = { ...context }
    if (!runsOld(standing, old)) {
      if (standing.isDown && found) await context.docker.removeContainer(found.Id)
      await putTrial(change, change.trial.back, context)
      back = await restartOld({ change, old, found }, onWay)
    }
    if (!back) throw await unitNotRestored(change, context)
    if (!(await isRunning(back.Id, context.docker))) throw notRestored({ name: change.container })
    if (unedited) throw unedited
    await removeTrial(change, context)
    if (isUntouched) return {}
    const trial = !isNew(found, old) ? null : runningPeriod(found, endedAt(found, onWay))
    return downTime(stoppedAt(await context.docker.inspectContainer(old.id), context), back, trial)
  },
}

function runsOld({ found, isDown, isSettled }: SettledUnit, old: OldContainer): boolean {
  return isSettled && !isDown && found?.Image === old.imageId && found.State.Running
}

/** Of new ones that the way back has removed. */
function endedAt({ State }: ContainerJson, { since, clock }: StepContext): number {
  return State.Running ? wallTime(since, clock) : Date.parse(State.FinishedAt)
}
