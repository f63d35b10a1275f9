import type { ContainerJson } from '../../core/docker/json.ts'
import { AgentError } from '../../core/errors.ts'
import type { UnitChange } from '../../core/unit/change.ts'
import { isAtWork, type UnitState } from '../../core/unit/state.ts'
import { isRunning } from '../container/running.ts'
import type { StepContext } from '../step.ts'

const POLL_MS = 20
const LIFE_POLL_MS = 5
/** Gives up a start job after this time, whatever it waits for. */
const JOB_LIMIT_MS = 120_000

export interface Restart {
  change: UnitChange
  /** What the drop-in starts. */
  image: string
  /** The container that must be gone. */
  oldId: string | null
  /** Whether this is the expected container: one from an earlier job may still come up. */
  isNext: (found: ContainerJson) => boolean
  /** Whether the old one is still running, if something other than Docker can show it. */
  lives?: (() => Promise<boolean>) | undefined
  /** Called as soon as it is dead, before the next one is up. */
  onGone?: (() => Promise<void>) | undefined
  /** How long to wait for the next one after its death; by default as long as a start may take. */
  patienceMs?: number
}

/**
 * Restarts the unit under the drop-in that is in place: systemd kills the old container and starts the next one in one
 * job, which it finishes even if the agent dies. Counts from the old one's last sign of life. Returns the new container
 * as soon as there is one, whatever the job still waits for; undefined where none came.
 */
export async function restartUnit(
  restart: Restart,
  context: StepContext,
): Promise<ContainerJson | undefined> {
  const { systemd, docker, clock } = context
  const { change, image, onGone } = restart
  const { active } = await checkTrial(change, image, context)
  const left = await docker.inspectContainer(change.container)
  // if an agent died half-way, nothing may be running: the window then counts from its beginning
  if (left?.State.Running === true) context.since = clock.now()
  // systemd runs no ExecStop= for a unit that failed or is still starting: the container that it left would keep the name
  if (left && (!left.State.Running || active !== 'active')) await docker.removeContainer(left.Id)
  await systemd.resetFailed(change.unit)
  await systemd.restart(change.unit)
  let isOver = false
  const next = nextContainer(restart, context).finally(() => (isOver = true))
  const gone = followOld(restart, () => isOver, context)
  const [found] = await Promise.all([next, gone.then(onGone)])
  return found
}

/** Writes the drop-in and reloads systemd. */
export async function putTrial(
  { trial }: UnitChange,
  text: string,
  { unitFiles, systemd }: StepContext,
): Promise<void> {
  await unitFiles.write(trial.path, text)
  await systemd.daemonReload()
}

/** Removes the drop-in: the unit's files apply again, and what runs keeps running. */
export async function removeTrial({ trial }: UnitChange, { unitFiles, systemd }: StepContext): Promise<void> {
  await unitFiles.remove(trial.path)
  await systemd.daemonReload()
}

/** Checks how systemd reads the drop-in: another one may override it, and BIRD could then be stopped with TERM. */
async function checkTrial(
  { unit, container }: UnitChange,
  image: string,
  { systemd }: StepContext,
): Promise<UnitState> {
  const state = await systemd.show(unit)
  const starts = state?.execStart.some((line) => line.includes(image)) === true
  const stops =
    state?.execStop.length === 1 && state.execStop[0]?.endsWith(`rm --force ${container}`) === true
  if (state && starts && stops) return state
  throw new AgentError(
    'unit-overridden',
    `cannot restart ${unit}: another drop-in overrides the one of this run`,
    {
      fix: `systemctl cat ${unit}`,
    },
  )
}

/** The old one lives until the unit's stop command kills it. */
async function followOld(
  { lives, oldId }: Restart,
  isOver: () => boolean,
  context: StepContext,
): Promise<void> {
  const { clock, docker } = context
  const isAlive = lives ?? (async () => oldId !== null && (await isRunning(oldId, docker)))
  while (!isOver()) {
    const asked = clock.now()
    if (!(await isAlive())) return
    context.since = asked
    // Docker is busy with the stop
    await clock.sleep(lives === undefined ? POLL_MS : LIFE_POLL_MS)
  }
}

/** systemd may finish when docker has only begun, or still wait when the container is up: check the container itself. */
async function nextContainer(
  { change: { unit, container }, oldId, isNext, patienceMs = JOB_LIMIT_MS }: Restart,
  context: StepContext,
): Promise<ContainerJson | undefined> {
  const { docker, systemd, clock } = context
  const deadline = clock.now() + JOB_LIMIT_MS
  for (;;) {
    // in this order: a job that ends in between has left its container
    const state = await systemd.show(unit)
    const found = await docker.inspectContainer(container)
    const isThere = found !== undefined && found.Id !== oldId && isNext(found)
    if (isThere && found.State.Status !== 'created') return found
    const isLate = clock.now() > Math.min(deadline, context.since + patienceMs)
    if (!isAtWork(state) || isLate) return isThere ? found : undefined
    await clock.sleep(POLL_MS)
  }
}
