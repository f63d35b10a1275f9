import type { ContainerJson } from '../core/docker-json.ts'
import { AgentError, ExitCode } from '../core/errors.ts'
import type { OldContainer } from '../core/plan.ts'
import type { UnitChange } from '../core/unit-change.ts'
import { refuseChangedFile, replaceFile } from './edit-unit.ts'
import { describeUnmet, watchTrial } from './gate.ts'
import { holdRoutes, releaseRoutes } from './held-routes.ts'
import { lastWords } from './last-words.ts'
import { refuseStalePlan } from './meddling.ts'
import { awaitRestored, awaitSafeStop } from './restored.ts'
import type { Step } from './step.ts'
import { putTrial, removeTrial, restartUnit, standing } from './unit-restart.ts'

/**
 * The one step with a window where systemd runs the container. The new image is on trial by a drop-in under /run:
 * the unit's own files are untouched until it has shown itself healthy, and a reboot brings the old one back.
 */
export const swapUnit: Step<'swap-unit'> = {
  moves: true,
  describe: ({ change: { unit, container, to } }) =>
    `restart ${unit}: kill ${container}, start it from ${to}, gate it`,

  async capture({ change, old, gate }, context) {
    await refuseStalePlan(old, gate, context)
    if (change.edit !== null) await refuseChangedFile(change.edit, context)
    return {}
  },

  async do({ change, old, gate }, _before, context) {
    // a try that died half-way may have come this far
    if (isNew(await standing(change, old.id, context), old)) return
    if (gate.daemons.length > 0) await holdRoutes(context)
    await putTrial(change, change.trial.forward, context)
    context.emit({ type: 'window-open', budgetMs: gate.budgetMs })
    await restartUnit({ change, image: change.to, gate, oldId: old.id }, context)
  },

  async verify({ change, old, gate }, _before, context) {
    const found = await context.docker.inspectContainer(change.container)
    if (!isNew(found, old)) throw noContainer(change, (await context.systemd.show(change.unit))?.result)
    const trial = await watchTrial({ gate, container: found.Id, goneAt: context.since }, context)
    if (trial.passed) {
      await releaseRoutes(context)
      return { window: trial.window, problems: trial.problems }
    }
    const why = `${trial.why}${describeUnmet(trial.unmet)}${await lastWords(context.docker, found.Id)}`
    throw new AgentError('gate-failed', `cannot keep the new container: ${why}`, {
      fix: 'mend the image or the configuration, then run the upgrade again',
    })
  },

  async goesOn({ change, old }, _before, context) {
    const found = await standing(change, old.id, context)
    return isNew(found, old) && found.State.Running
  },

  async undo({ change, old, gate }, _before, context) {
    const { clock } = context
    const found = await standing(change, old.id, context)
    if (found?.Id === old.id && found.State.Running === old.wasRunning) {
      await removeTrial(change, context)
      await releaseRoutes(context)
      return { window: null }
    }
    if (change.editBack !== null) await replaceFile(change.editBack, context)
    let goneAt = context.since
    let back = found
    if (found?.Image !== old.imageId || !found.State.Running) {
      const trial = { gate, container: change.container, goneAt }
      const recovered = found?.State.Running === true && (await awaitSafeStop(trial, context))
      await putTrial(change, change.trial.back, context)
      const restart = { ...context, since: clock.now() }
      back = await restartUnit({ change, image: change.from, gate, oldId: found?.Id ?? null }, restart)
      if (recovered) goneAt = restart.since
    }
    if (!back) throw notBack(change, (await context.systemd.show(change.unit))?.result)
    const restored = await awaitRestored({ gate, container: back.Id, goneAt }, context)
    await removeTrial(change, context)
    await releaseRoutes(context)
    return restored
  },
}

/** Made from another image, after the old one. */
function isNew(found: ContainerJson | undefined, old: OldContainer): found is ContainerJson {
  return found !== undefined && found.Id !== old.id && found.Image !== old.imageId
}

function noContainer({ unit, container }: UnitChange, result = 'unknown'): AgentError {
  return new AgentError(
    'gate-failed',
    `cannot keep the new container: ${unit} did not start ${container}; its result is ${result}`,
    { fix: `journalctl -u ${unit} shows why` },
  )
}

function notBack({ unit, from }: UnitChange, result = 'unknown'): AgentError {
  return new AgentError('not-restored', `cannot start ${from} again by ${unit}: its result is ${result}`, {
    fix: `journalctl -u ${unit} shows why`,
    exitCode: ExitCode.stuck,
  })
}
