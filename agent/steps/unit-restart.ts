import type { ContainerJson } from '../core/docker/json.ts'
import { AgentError } from '../core/errors.ts'
import type { UnitChange } from '../core/unit/change.ts'
import type { UnitState } from '../core/unit/state.ts'
import type { StepContext } from './step.ts'

const POLL_MS = 20
const LIFE_POLL_MS = 5
/** `docker run` of an image that is here takes below a second; a unit may pull or wait before it. */
const START_LIMIT_MS = 45_000

export interface Restart {
  change: UnitChange
  /** What the drop-in starts. */
  image: string
  /** The container that must be gone. */
  oldId: string | null
  /** Whether the old one is still at work; undefined where nothing tells. */
  lives: (() => Promise<boolean>) | undefined
  /** As soon as it is dead, before the next one is up. */
  onGone?: (() => Promise<void>) | undefined
}

/**
 * Restarts the unit under the drop-in that is in place: systemd kills the old container and starts the next one in one
 * job, which it finishes even if the agent dies. Counts from the old one's last sign of life. Returns the new container,
 * undefined where the unit starts none.
 */
export async function restartUnit(
  { change, image, oldId, lives, onGone }: Restart,
  context: StepContext,
): Promise<ContainerJson | undefined> {
  const { systemd, docker, clock } = context
  const { active } = await checkTrial(change, image, context)
  const left = await docker.inspectContainer(change.container)
  // after a death half-way nothing may run any more: the window then counts from where it began
  if (left?.State.Running === true) context.since = clock.now()
  // systemd runs no ExecStop= of a unit that failed: what it left behind, running or not, would keep the name
  if (left && (!left.State.Running || active !== 'active')) await docker.removeContainer(left.Id)
  await systemd.resetFailed(change.unit)
  let isOver = false
  const job = systemd.restart(change.unit).finally(() => (isOver = true))
  // where nothing tells of the old one, it is gone when the job is over
  const gone = lives === undefined ? job : followOld(lives, () => isOver, context)
  await Promise.all([job, gone.then(onGone)])
  return await nextContainer(change, oldId, context)
}

/** Writes the drop-in and has systemd read it. */
export async function putTrial(
  { trial }: UnitChange,
  text: string,
  { unitFiles, systemd }: StepContext,
): Promise<void> {
  await unitFiles.write(trial.path, text)
  await systemd.daemonReload()
}

/** Takes the drop-in away: what the files say is in force again, and what runs goes on. */
export async function removeTrial({ trial }: UnitChange, { unitFiles, systemd }: StepContext): Promise<void> {
  await unitFiles.remove(trial.path)
  await systemd.daemonReload()
}

/** What systemd made of the drop-in: another one may win over it, and then BIRD could be stopped by TERM. */
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
    `cannot restart ${unit}: another drop-in wins over the one of this run`,
    {
      fix: `systemctl cat ${unit}`,
    },
  )
}

/** The old one lives until the unit's stop command kills it. */
async function followOld(
  lives: () => Promise<boolean>,
  isOver: () => boolean,
  context: StepContext,
): Promise<void> {
  const { clock } = context
  while (!isOver()) {
    const asked = clock.now()
    if (!(await lives())) return
    context.since = asked
    await clock.sleep(LIFE_POLL_MS)
  }
}

/** What there is of the unit's container. */
export interface Standing {
  found: ContainerJson | undefined
  /** The unit runs nothing: it would not stop a container that is there all the same. */
  isDown: boolean
  /** False where the unit is up, and its container does not come. */
  isSettled: boolean
}

/**
 * The unit's container once nothing is under way: systemd finishes a job that an agent began and did not live to see
 * the end of, and docker's own start comes after it.
 */
export async function settledUnit(
  { unit, container }: UnitChange,
  { docker, systemd, clock }: Pick<StepContext, 'docker' | 'systemd' | 'clock'>,
): Promise<Standing> {
  await systemd.untilIdle(unit)
  const deadline = clock.now() + START_LIMIT_MS
  for (;;) {
    const state = await systemd.show(unit)
    const found = await docker.inspectContainer(container)
    const isDown = ['inactive', 'failed', undefined].includes(state?.active)
    const isThere = found !== undefined && found.State.Status !== 'created'
    if (isDown || isThere) return { found, isDown, isSettled: true }
    if (clock.now() > deadline) return { found, isDown, isSettled: false }
    await clock.sleep(POLL_MS)
  }
}

/** systemd's job is over when docker has begun: the container comes a moment later. */
async function nextContainer(
  { unit, container }: Pick<UnitChange, 'unit' | 'container'>,
  oldId: string | null,
  { docker, systemd, clock }: StepContext,
): Promise<ContainerJson | undefined> {
  const deadline = clock.now() + START_LIMIT_MS
  for (;;) {
    const found = await docker.inspectContainer(container)
    const isNext = found !== undefined && found.Id !== oldId
    if (isNext && found.State.Status !== 'created') return found
    const state = await systemd.show(unit)
    const isUp = state?.active === 'active' || state?.active === 'activating'
    if (!isUp || clock.now() > deadline) return isNext ? found : undefined
    await clock.sleep(POLL_MS)
  }
}
