import type { RunningContainer } from '../../core/docker/second-node.ts'
import { isEngineGone } from '../../core/errors.ts'
import type { Gate, OldContainer } from '../../core/plan/plan.ts'
import { findNext } from '../container/next-container.ts'
import { foreignNode } from '../container/other-nodes.ts'
import { isRunning } from '../container/running.ts'
import { startOld } from '../container/start-old.ts'
import { awaitRestored, awaitSafeStop } from '../gate/await-restored.ts'
import { finalCheck, refuseSecondNode } from '../gate/final-check.ts'
import { watchTrial } from '../gate/gate.ts'
import { readDaemon } from '../gate/readings.ts'
import { endOfTrial } from '../gate/trial-end.ts'
import type { Step, StepContext, StepResult } from '../step.ts'
import { closeDialling, openDialling } from '../window/dial-guard.ts'
import { holdRoutes, releaseRoutes } from '../window/held-routes.ts'
import { leaveToForeignNode } from './foreign-node.ts'
import { preventLateStart, stopSecondNode } from './late-start.ts'

/**
 * The one step with a window: KILL the old container, start the prepared one, gate it on the baseline.
 * KILL and nothing softer: a TERM that reaches BIRD ends its sessions with a Cease, and the peers drop the routes.
 */
export const swapContainer: Step<'swap-container'> = {
  moves: true,
  describe: ({ old }) => `swap ${old.name}: kill the old container, start the new one, gate it`,

  async capture({ old, next, gate: planned }, context) {
    const nextId = (await findNext(context.docker, next)).Id
    const { found, gate } = await finalCheck(old, planned, context)
    // Sets the policy that it already has: a full /run or another engine may refuse what the commit needs. Find out before the KILL.
    await context.docker.setRestartPolicy(old.id, old.policy)
    return { nextId, startedAt: found.State.StartedAt, gate }
  },

  async do({ old, gate: planned }, { nextId, gate = planned }, context) {
    const { docker, clock, emit } = context
    if (gate.daemons.length > 0) await holdRoutes(context)
    // A killed `unless-stopped` container stays down after a reboot; `always` brings it back while the new one is on trial.
    if (old.policy.Name === 'unless-stopped') await docker.setRestartPolicy(old.id, { Name: 'always' })
    emit({ type: 'window-open', budgetMs: gate.budgetMs })
    // If an agent died half-way, the old one may already be gone: the window then counts from its beginning. The new
    // one's sessions may be back: do not cut off the peers that dialled them.
    const [oldRuns, nextRuns] = await Promise.all([old.id, nextId].map((id) => isRunning(id, docker)))
    if (oldRuns) context.since = clock.now()
    const cleanedUp = docker.killContainer(old.id)
    try {
      await Promise.race([cleanedUp, birdIsDead(gate, cleanedUp, context)])
      await Promise.all([docker.startContainer(nextId), nextRuns || closeDialling(gate, context)])
    } finally {
      // until then Docker reports the old one as running
      await cleanedUp
    }
  },

  async verify({ old, gate: planned }, { nextId, gate = planned }, context) {
    const trial = await watchTrial({ gate, container: nextId, goneAt: context.since }, context)
    await refuseSecondNode(old, nextId, context.docker)
    return await endOfTrial(trial, nextId, context)
  },

  // Going forward is quicker while the new container lives, and while the old one may be killed at any moment; after a
  // reboot the old one is back by its own policy.
  async goesOn({ old, gate: planned }, { nextId, startedAt, gate = planned }, context) {
    const { docker } = context
    if (await isRunning(old.id, docker)) return await isUnderTheKill(old, { gate, startedAt }, context)
    return await isRunning(nextId, docker)
  },

  async undo({ old, next, gate: planned }, { nextId, startedAt, gate = planned }, context) {
    const { docker, clock } = context
    let goneAt = context.since
    if (await isRunning(nextId, docker)) {
      if (await awaitSafeStop({ gate, container: nextId, goneAt }, context)) goneAt = clock.now()
      await docker.killContainer(nextId)
    } else await preventLateStart(next, nextId, context)
    const foreign = await foreignNode([old.id, nextId], docker)
    if (foreign && !(await isRunning(old.id, docker)))
      return await leftToAnother(foreign, { old, gate, goneAt }, context)
    if (!old.wasRunning) {
      if (old.policy.Name === 'unless-stopped') await docker.setRestartPolicy(old.id, old.policy)
      return { window: null }
    }
    if (await isUnderTheKill(old, { gate, startedAt }, context)) {
      goneAt = clock.now()
      // an Engine that refuses it has no kill in progress
      await docker.killContainer(old.id).catch((error: unknown) => {
        if (isEngineGone(error)) throw error
      })
    }
    // a running one, whoever started it, has sessions that must not be cut off
    const runs = await isRunning(old.id, docker)
    const [id] = await Promise.all([startOld(old, context), runs || closeDialling(gate, context)])
    if (old.policy.Name === 'unless-stopped') await docker.setRestartPolicy(id, old.policy)
    const restored = await restoredAlone({ old, id, nextId, gate, goneAt }, context)
    await Promise.all([releaseRoutes(context), openDialling(context)])
    return restored
  },
}

/** It must not start beside the other one, or come back at boot. */
async function leftToAnother(
  foreign: RunningContainer,
  { old, gate, goneAt }: { old: OldContainer; gate: Gate; goneAt: number },
  context: StepContext,
): Promise<StepResult> {
  const { docker } = context
  if (await docker.inspectContainer(old.id)) await docker.setRestartPolicy(old.id, { Name: 'no' })
  const fix = `calico-agent status; docker rm ${old.id.slice(0, 12)} if the old container still exists`
  return await leaveToForeignNode(
    foreign,
    { name: old.name, trial: { gate, container: foreign.id, goneAt }, fix },
    context,
  )
}

/** The old one has its sessions again, and the new one was not started beside it. */
async function restoredAlone(
  { gate, goneAt, ...ids }: { old: OldContainer; id: string; nextId: string; gate: Gate; goneAt: number },
  context: StepContext,
): Promise<StepResult> {
  const restored = await awaitRestored({ gate, container: ids.id, goneAt }, context).catch(
    (error: unknown) => error as Error,
  )
  const again = await stopSecondNode(ids, context)
  if (again !== undefined)
    return await awaitRestored({ gate, container: again, goneAt: context.clock.now() }, context)
  if (restored instanceof Error) throw restored
  return restored
}

/**
 * The old container still runs as before the kill was requested. Docker carries out a kill even if nobody waits for it
 * any more, and does not show a pending one: a second kill that is answered leaves none pending. That opens a fresh
 * window, unless its BIRD has restarted by itself since.
 */
async function isUnderTheKill(
  { id }: OldContainer,
  { gate, startedAt }: { gate: Gate; startedAt: string | undefined },
  context: StepContext,
): Promise<boolean> {
  const state = (await context.docker.inspectContainer(id))?.State
  if (state?.Running !== true || state.StartedAt !== startedAt) return false
  const views = await Promise.all(
    gate.daemons.map(({ endpoint }) => readDaemon(endpoint, id, 'rows', context)),
  )
  return !views.some((view) => view.state === 'up' && view.recovering)
}

const DEAD_POLL_MS = 5

/**
 * BIRD is dead within 30 ms of the KILL; Docker answers once it has cleaned up behind the container, some 60 ms later.
 * The new container need not wait for that. If BIRD cannot be seen from the host, wait for Docker's answer.
 */
async function birdIsDead(
  { daemons }: Gate,
  cleanedUp: Promise<void>,
  { bird, clock }: StepContext,
): Promise<void> {
  const answered = new AbortController()
  void cleanedUp
    .catch(() => undefined)
    .finally(() => {
      answered.abort()
    })
  const isVisible = daemons.length > 0 && daemons.every(({ endpoint }) => endpoint.via === 'host')
  const states = () => Promise.all(daemons.map(({ endpoint }) => bird.socketState(endpoint.socket)))
  while (!answered.signal.aborted && (!isVisible || (await states()).includes('listening'))) {
    await clock.sleep(DEAD_POLL_MS)
  }
  if (answered.signal.aborted) await cleanedUp
}
