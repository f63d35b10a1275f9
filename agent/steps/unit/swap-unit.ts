import type { RunningContainer } from '../../core/docker/second-node.ts'
import { AgentError } from '../../core/errors.ts'
import type { Gate } from '../../core/plan/plan.ts'
import type { UnitChange } from '../../core/unit/change.ts'
import { foreignNodeOfUnit } from '../container/other-nodes.ts'
import { awaitRestored, awaitSafeStop } from '../gate/await-restored.ts'
import { finalCheck, refuseAnother } from '../gate/final-check.ts'
import { watchTrial } from '../gate/gate.ts'
import { endOfTrial } from '../gate/trial-end.ts'
import { leaveToForeignNode } from '../node/foreign-node.ts'
import type { Step, StepContext, StepResult } from '../step.ts'
import { closeDialling, openDialling } from '../window/dial-guard.ts'
import { holdRoutes, releaseRoutes } from '../window/held-routes.ts'
import { refuseChangedFile, tryEditBack } from './edit-unit.ts'
import { putTrial, removeTrial, restartUnit } from './restart.ts'
import { awaitStarted, patienceOf, settledUnit } from './standing.ts'
import { isNew, noContainerReason, restartOld, unitNotRestored } from './trial.ts'

/**
 * The one step with a window if systemd runs the container. The new image is on trial by a drop-in under /run:
 * the unit's own files do not change until it is healthy, and a reboot brings the old one back.
 */
export const swapUnit: Step<'swap-unit'> = {
  moves: true,
  describe: ({ change: { unit, container, to } }) =>
    `restart ${unit}: kill ${container}, start it from ${to}, gate it`,

  async capture({ change, old, gate: planned }, context) {
    if (change.edit !== null) await refuseChangedFile(change.edit, context)
    const { gate } = await finalCheck(old, planned, context)
    return { gate }
  },

  async do({ change, old, gate: planned }, { gate = planned }, context) {
    // an interrupted try may have got this far
    if (isNew((await settledUnit(change, gate, context)).found, old)) return
    if (gate.daemons.length > 0) await holdRoutes(context)
    await putTrial(change, change.trial.forward, context)
    context.emit({ type: 'window-open', budgetMs: gate.budgetMs })
    await restartUnit(
      {
        ...{ change, image: change.to, oldId: old.id, patienceMs: patienceOf(gate) },
        isNext: (found) => isNew(found, old),
        lives: birdLives(gate, context),
        onGone: () => closeDialling(gate, context),
      },
      context,
    )
  },

  async verify({ change, old, gate: planned }, { gate = planned }, context) {
    const found = await context.docker.inspectContainer(change.container)
    if (!isNew(found, old)) throw noContainer(change, await noContainerReason(change, context))
    const trial = await watchTrial({ gate, container: found.Id, goneAt: context.since }, context)
    await refuseAnother(old, found.Id, context.docker)
    const result = await endOfTrial(trial, found.Id, context)
    await awaitStarted(change, context)
    return result
  },

  async goesOn({ change, old, gate: planned }, { gate = planned }, context) {
    const { found, isSettled } = await settledUnit(change, gate, context)
    return isSettled && isNew(found, old) && found.State.Running
  },

  async undo({ change, old, gate: planned }, { gate = planned }, context) {
    const { clock } = context
    const standing = await settledUnit(change, gate, context)
    const { found, isSettled } = standing
    if (isSettled && found?.Id === old.id && found.State.Running === old.wasRunning) {
      await removeTrial(change, context)
      await Promise.all([releaseRoutes(context), openDialling(context)])
      return { window: null }
    }
    const unedited = await tryEditBack(change, context)
    let goneAt = context.since
    const foreign = await foreignNodeOfUnit({ change, old, standing }, context.docker)
    if (foreign) {
      const left = await unitLeftTo(foreign, { change, gate, goneAt }, context)
      if (unedited) throw unedited
      return left
    }
    let back = found
    if (!isSettled || found?.Image !== old.imageId || !found.State.Running) {
      // do all preparation before it is safe to restart: BIRD makes progress in the meantime
      await putTrial(change, change.trial.back, context)
      const trial = { gate, container: change.container, goneAt }
      const recovered = found?.State.Running === true && (await awaitSafeStop(trial, context))
      const onGone = () => closeDialling(gate, context)
      const restart = { ...context, since: clock.now() }
      back = await restartOld({ change, old, found, lives: birdLives(gate, context), onGone }, restart)
      if (recovered) goneAt = restart.since
    }
    if (!back) throw await unitNotRestored(change, context)
    const restored = await awaitRestored({ gate, container: back.Id, goneAt }, context)
    await Promise.all([releaseRoutes(context), openDialling(context)])
    if (unedited) throw unedited
    await removeTrial(change, context)
    return restored
  },
}

/** The unit is stopped, by the drop-in that kills: it would run beside the other one. A boot starts it again. */
async function unitLeftTo(
  foreign: RunningContainer,
  { change, gate, goneAt }: { change: UnitChange; gate: Gate; goneAt: number },
  context: StepContext,
): Promise<StepResult> {
  // the drop-in's stop command would remove one with the container's own name
  const isNamesake = foreign.name === change.container
  await putTrial(change, `${change.trial.back}${isNamesake ? 'ExecStop=\n' : ''}`, context)
  await context.systemd.stop(change.unit)
  await removeTrial(change, context)
  const { unit, container: name } = change
  const fix = `systemctl disable ${unit}, or both start at boot; to go back to the unit: docker rm -f ${foreign.name}; systemctl enable --now ${unit}`
  return await leaveToForeignNode(
    foreign,
    { name, trial: { gate, container: foreign.id, goneAt }, fix },
    context,
  )
}

/** BIRD's sockets on the host show it; docker exec would return nothing from a dead one. */
function birdLives({ daemons }: Gate, { bird }: StepContext): (() => Promise<boolean>) | undefined {
  if (daemons.length === 0 || daemons.some(({ endpoint }) => endpoint.via !== 'host')) return undefined
  return async () => {
    const states = await Promise.all(daemons.map(({ endpoint }) => bird.socketState(endpoint.socket)))
    return states.includes('listening')
  }
}

function noContainer({ unit }: UnitChange, why: string): AgentError {
  return new AgentError('gate-failed', `cannot keep the new container: ${why}`, {
    fix: `journalctl -u ${unit} shows why`,
  })
}
