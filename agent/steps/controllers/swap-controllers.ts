import { AgentError } from '../../core/errors.ts'
import type { OldContainer } from '../../core/plan/plan.ts'
import type { Docker } from '../../ports/docker.ts'
import { findNext } from '../container/next-container.ts'
import { isRunning } from '../container/running.ts'
import { startOld } from '../container/start-old.ts'
import type { Step } from '../step.ts'
import { downTime, runningPeriod, stoppedAt } from './gap.ts'
import { notRestored, passedCheck, untilHealthy } from './trial.ts'

/**
 * Two instances would both write: the old one must be seen stopped before the new one starts. While one of them runs,
 * the other has no policy that lets a restart of the Engine start it too. There is no BIRD in it: TERM is right.
 */
export const swapControllers: Step<'swap-controllers'> = {
  moves: true,
  describe: ({ old }) =>
    `swap ${old.name}: stop the old one and wait for it, then start the new one; until it is up, new policies, pod labels and namespaces are not handled`,

  async capture({ old, next, check: planned }, context) {
    const { docker } = context
    const found = await docker.inspectContainer(old.id)
    if (found?.State.Running !== true) throw changedMeanwhile(old.name)
    const check = await passedCheck(old.id, planned, context)
    return { nextId: (await findNext(docker, next)).Id, startedAt: found.State.StartedAt, check }
  },

  async do({ old }, { nextId }, { docker }) {
    await stopForGood(old.id, docker)
    await refuseSecond(old, docker)
    await docker.startContainer(nextId)
    await comeBackAfterBoot(old, docker)
  },

  async verify({ old, check: planned, settleMs }, { nextId, check = planned }, context) {
    const { docker } = context
    await untilHealthy(nextId, check, settleMs, context)
    await refuseSecond(old, docker)
    const goneAt = stoppedAt(await docker.inspectContainer(old.id), context)
    return downTime(goneAt, await docker.inspectContainer(nextId))
  },

  async goesOn({ old }, { nextId }, { docker }) {
    return !(await isRunning(old.id, docker)) && (await isRunning(nextId, docker))
  },

  async undo({ old }, { nextId, startedAt }, context) {
    const { docker } = context
    await stopForGood(nextId, docker)
    // the stop of an agent that died may still be in progress: this one ends with it
    await docker.stopContainer(old.id)
    const goneAt = stoppedAt(await docker.inspectContainer(old.id), context)
    const trial = runningPeriod(await docker.inspectContainer(nextId))
    const id = await startOld(old, context)
    if (!old.autoRemove && id === old.id) await docker.setRestartPolicy(id, old.policy)
    const back = await docker.inspectContainer(id)
    if (back?.State.Running !== true) throw notRestored(old)
    return back.State.StartedAt === startedAt ? {} : downTime(goneAt, back, trial)
  },
}

/** Stops it, and makes sure that nothing can start it again. */
async function stopForGood(id: string, docker: Docker): Promise<void> {
  const found = await docker.inspectContainer(id)
  if (!found) return
  const { AutoRemove, RestartPolicy } = found.HostConfig
  if (AutoRemove !== true && RestartPolicy.Name !== 'no') await docker.setRestartPolicy(id, { Name: 'no' })
  await docker.stopContainer(id)
  if (!(await isRunning(id, docker))) return
  throw new AgentError(
    'controllers-not-stopped',
    `cannot continue: Docker reports that it stopped ${id.slice(0, 12)}, but it is still running`,
    {
      fix: `docker inspect ${id.slice(0, 12)}; the agent starts nothing beside it`,
    },
  )
}

/**
 * Docker kills the new one when the host or, without live-restore, the Engine goes down: the old one may come up then.
 * Under live-restore it may not, and the resume at boot brings it back.
 */
async function comeBackAfterBoot(old: OldContainer, docker: Docker): Promise<void> {
  if (old.autoRemove || ['', 'no'].includes(old.policy.Name) || (await docker.info()).liveRestore) return
  // under `unless-stopped`, one that was stopped by hand stays stopped
  const policy = old.policy.Name === 'unless-stopped' ? { Name: 'always' } : old.policy
  if (await docker.inspectContainer(old.id)) await docker.setRestartPolicy(old.id, policy)
}

/** Someone may have created another one under the old one's name. */
async function refuseSecond({ id, name }: OldContainer, docker: Docker): Promise<void> {
  const found = await docker.inspectContainer(name)
  if (found?.State.Running !== true) return
  const who = found.Id === id ? 'the old one was started again' : 'another one was started'
  throw new AgentError('second-controllers', `cannot continue with ${name}: ${who} by another process`, {
    fix: 'find out what starts it; two instances would both write',
  })
}

function changedMeanwhile(name: string): AgentError {
  return new AgentError(
    'changed-meanwhile',
    `cannot swap ${name}: it was stopped or removed after the run was planned`,
    {
      fix: 'run the command again',
    },
  )
}
