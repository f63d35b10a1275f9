import { AgentError, type Problem } from '../../core/errors.ts'
import type { ContainerCommit, OldContainer } from '../../core/plan/plan.ts'
import type { Docker } from '../../ports/docker.ts'
import { findNext } from '../container/next-container.ts'
import { handBackPolicy, handOverPolicy, hasNoPolicy } from '../container/restart-policies.ts'
import { isRunning } from '../container/running.ts'
import { refuseTakenName } from '../gate/final-check.ts'
import type { Step } from '../step.ts'

/**
 * The point of no return. The old container gives up its restart policy before the new one gets it: a reboot
 * between the two calls starts none, and the resume at boot starts one; never two at once.
 */
export const commit: Step<'commit'> = {
  moves: true,
  describe: ({ containers }) =>
    containers.length === 0
      ? 'commit: keep what was installed'
      : `commit: ${containers.map(({ old }) => old.name).join(', ')} keeps the new container`,

  async capture({ containers }, { docker }) {
    const found = await Promise.all(containers.map(({ next }) => findNext(docker, next)))
    const ended = containers.find((_, i) => found[i]?.State.Running === false)
    // without a gate, it would be a second restart
    if (ended) throw endedSince(ended.old)
    return { nextIds: found.map(({ Id }) => Id) }
  },

  async do({ containers }, { nextIds }, { docker }) {
    for (const [i, { old, parkName }] of containers.entries()) {
      const nextId = nextIds[i] ?? ''
      await refuseTakenName(old, nextId, docker)
      const parked = await docker.inspectContainer(old.id)
      if (parked) await handOverPolicy(old, nextId, docker)
      else await docker.setRestartPolicy(nextId, old.policy)
      await docker.startContainer(nextId)
      // The names change last: until here, the operator's name belongs to the container that a reboot or a rollback brings back.
      if (parked) await docker.renameContainer(old.id, parkName)
      await docker.renameContainer(nextId, old.name)
    }
  },

  async verify({ containers }, _before, { docker }) {
    const parked = await Promise.all(containers.map(({ old }) => docker.inspectContainer(old.id)))
    const gone = containers.filter(({ old }, i) => !old.autoRemove && parked[i] === undefined)
    return { problems: gone.map(({ old }) => parkedGone(old)) }
  },

  async goesOn({ containers }, { nextIds }, { docker }) {
    const ready = await Promise.all(containers.map((one, i) => canTakeOver(one, nextIds[i] ?? '', docker)))
    return !ready.includes(false)
  },

  // What is in place by then has taken effect: there is nothing to hand over.
  async tookHold({ containers }, { nextIds }, { docker }) {
    if (containers.length === 0) return true
    const held = containers.map(async ({ old, parkName }, i) => {
      const [next, parked] = await Promise.all([
        docker.inspectContainer(nextIds[i] ?? ''),
        docker.inspectContainer(old.id),
      ])
      const hasPolicy = next !== undefined && !hasNoPolicy(next)
      return hasPolicy || next?.Name === `/${old.name}` || parked?.Name === `/${parkName}`
    })
    return (await Promise.all(held)).includes(true)
  },

  /** Only for a commit that did not take effect; a failure after the commit undoes nothing. */
  async undo({ containers }, { nextIds }, { docker }) {
    for (const [i, { old }] of containers.entries()) await handBackPolicy(old, nextIds[i] ?? '', docker)
    return {}
  },
}

function endedSince({ name }: OldContainer): AgentError {
  return new AgentError('gate-failed', `cannot keep the new ${name}: it ended after it had passed the gate`, {
    fix: 'fix the image or its settings, then run the upgrade again',
  })
}

function parkedGone({ name }: OldContainer): Problem {
  return {
    code: 'parked-gone',
    severity: 'warning',
    message: `the old ${name} was removed by another process during the run`,
    fix: 'nothing to do: calico-agent rollback recreates it from the journal',
  }
}

/**
 * A power cut may bring the old container back before it gave up its policy, or remove a `--rm` one: going
 * forward would then be a second restart without a gate, or nothing at all.
 */
async function canTakeOver({ old }: ContainerCommit, nextId: string, docker: Docker): Promise<boolean> {
  const next = await docker.inspectContainer(nextId)
  if (next?.State.Running === true) return true
  return next !== undefined && !(await isRunning(old.id, docker))
}
