import { AgentError, ExitCode } from '../core/errors.ts'
import type { OldContainer } from '../core/plan.ts'
import type { Docker } from '../ports/docker.ts'
import { lastWords } from './last-words.ts'
import { failingExec } from './look.ts'
import { findNext } from './next-container.ts'
import { startedAgain } from './remade.ts'
import type { Step, StepContext } from './step.ts'

const POLL_MS = 500
/** From its start until the datastore and the API have been read once. */
const READY_MS = 60_000
/** One that cannot use its settings ends within this. */
const LEAST_SETTLE_MS = 5_000

/**
 * Two instances would both write: the old one is seen stopped before the new one starts, and while one of them runs,
 * the other has no policy by which a restart of the Engine could start it beside it. It is no BIRD: TERM is right.
 */
export const swapControllers: Step<'swap-controllers'> = {
  moves: true,
  describe: ({ old }) =>
    `swap ${old.name}: stop the old one and see it stopped, then start the new one; until it is up no new policy, pod label or namespace is handled`,

  async capture({ old, next }, { docker }) {
    const found = await docker.inspectContainer(old.id)
    if (found?.State.Running !== true) throw changedMeanwhile(old.name)
    return { nextId: (await findNext(docker, next)).Id, startedAt: found.State.StartedAt }
  },

  async do({ old }, { nextId }, { docker }) {
    await stopForGood(old.id, docker)
    await refuseSecond(old, docker)
    await docker.startContainer(nextId)
    await comeBackAfterBoot(old, docker)
  },

  async verify({ old, check, settleMs }, { nextId }, context) {
    await untilHealthy(nextId, check, settleMs, context)
    await refuseSecond(old, context.docker)
    return await downTime(old.id, nextId, context)
  },

  async goesOn({ old }, { nextId }, { docker }) {
    return !(await isRunning(old.id, docker)) && (await isRunning(nextId, docker))
  },

  async undo({ old }, { nextId, startedAt }, context) {
    const { docker } = context
    await stopForGood(nextId, docker)
    // the stop of an agent that died may still be under way: this one ends with it
    await docker.stopContainer(old.id)
    const id = await startedAgain(old, context)
    if (!old.autoRemove && id === old.id) await docker.setRestartPolicy(id, old.policy)
    const back = (await docker.inspectContainer(id))?.State
    if (back?.Running !== true) throw notRestored(old)
    return back.StartedAt === startedAt ? {} : await downTime(id, id, context)
  },
}

/** Seen stopped, and with nothing left that could start it again. */
async function stopForGood(id: string, docker: Docker): Promise<void> {
  const found = await docker.inspectContainer(id)
  if (!found) return
  const { AutoRemove, RestartPolicy } = found.HostConfig
  if (AutoRemove !== true && RestartPolicy.Name !== 'no') await docker.setRestartPolicy(id, { Name: 'no' })
  await docker.stopContainer(id)
  if (!(await isRunning(id, docker))) return
  throw new AgentError(
    'controllers-not-stopped',
    `cannot go on: Docker stopped ${id.slice(0, 12)}, and it runs`,
    {
      fix: `docker inspect ${id.slice(0, 12)}; nothing is started beside it`,
    },
  )
}

/**
 * Docker kills the new one when the host or, without live-restore, the Engine goes down: the old one may come up then.
 * Under live-restore it may not, and the resume at boot brings it back.
 */
async function comeBackAfterBoot(old: OldContainer, docker: Docker): Promise<void> {
  if (old.autoRemove || ['', 'no'].includes(old.policy.Name) || (await docker.info()).liveRestore) return
  // one that was stopped by hand stays so under `unless-stopped`
  const policy = old.policy.Name === 'unless-stopped' ? { Name: 'always' } : old.policy
  if (await docker.inspectContainer(old.id)) await docker.setRestartPolicy(old.id, policy)
}

/** Somebody may have made one anew under the old one's name. */
async function refuseSecond({ id, name }: OldContainer, docker: Docker): Promise<void> {
  const found = await docker.inspectContainer(name)
  if (found?.State.Running !== true) return
  const who = found.Id === id ? 'the old one was started again' : 'another one was started'
  throw new AgentError('second-controllers', `cannot go on with ${name}: ${who} by somebody else`, {
    fix: 'see who starts it; two instances would both write',
  })
}

async function untilHealthy(
  id: string,
  check: string[] | null,
  settleMs: number,
  context: StepContext,
): Promise<void> {
  const { docker, clock, signal } = context
  const since = clock.now()
  const settledAfter = Math.max(settleMs, LEAST_SETTLE_MS)
  let goodSince: number | null = null
  for (;;) {
    if (!(await isRunning(id, docker))) throw gateFailed('it does not stay up', await lastWords(docker, id))
    const failing = check === null ? [] : await failingExec(id, check, docker)
    const now = clock.now()
    goodSince = failing.length === 0 ? (goodSince ?? now) : null
    if (goodSince !== null && now - goodSince >= settledAfter) return
    if (now - since > READY_MS + settledAfter)
      throw gateFailed(failing.join('; '), await lastWords(docker, id))
    await clock.sleep(POLL_MS, signal)
  }
}

async function isRunning(id: string, docker: Docker): Promise<boolean> {
  return (await docker.inspectContainer(id))?.State.Running === true
}

/** By Docker's own times, which outlive a death of the agent; where `--rm` took the old one, by the step's. */
async function downTime(oldId: string, newId: string, { docker, since, clock }: StepContext) {
  const [old, next] = await Promise.all([docker.inspectContainer(oldId), docker.inspectContainer(newId)])
  const byDocker = Date.parse(next?.State.StartedAt ?? '') - Date.parse(old?.State.FinishedAt ?? '')
  return { downMs: Math.round(Number.isNaN(byDocker) ? clock.now() - since : Math.max(0, byDocker)) }
}

function gateFailed(why: string, said: string): AgentError {
  return new AgentError('controllers-failed', `cannot keep the new controllers: ${why}${said}`, {
    fix: 'mend the image or its settings, then run the upgrade again',
  })
}

function changedMeanwhile(name: string): AgentError {
  return new AgentError(
    'changed-meanwhile',
    `cannot swap ${name}: it was stopped or removed since it was planned`,
    {
      fix: 'run the command again',
    },
  )
}

function notRestored({ name }: OldContainer): AgentError {
  return new AgentError('not-restored', `cannot bring ${name} back: it does not stay up`, {
    fix: `docker logs ${name} shows why`,
    exitCode: ExitCode.stuck,
  })
}
