import type { ContainerJson, RestartPolicy } from '../../core/docker/json.ts'
import { AgentError, isEngineGone } from '../../core/errors.ts'
import type { OldContainer } from '../../core/plan/plan.ts'
import type { Docker } from '../../ports/docker.ts'
import { nameTaker } from './other-nodes.ts'
import { isRunning } from './running.ts'

/**
 * The old container gives up its restart policy, then the new one gets it. If the second call fails, the
 * old one keeps its policy: a boot must find one that starts.
 */
export async function handOverPolicy(old: OldContainer, nextId: string, docker: Docker): Promise<void> {
  await docker.setRestartPolicy(old.id, { Name: 'no' })
  try {
    // An Engine that restarted has ended the new one and brought the old one back: from here on it cannot.
    if (await isRunning(old.id, docker)) throw oldCameBack(old)
    await docker.setRestartPolicy(nextId, old.policy)
  } catch (error) {
    // an Engine that did not answer may still do what it was asked
    if (!isEngineGone(error)) await keepPolicy(old, nextId, docker).catch(() => undefined)
    throw error
  }
}

async function keepPolicy(old: OldContainer, nextId: string, docker: Docker): Promise<void> {
  const next = await docker.inspectContainer(nextId)
  if (next !== undefined && !hasNoPolicy(next)) return
  await docker.setRestartPolicy(old.id, policyWhileStopped(old))
}

/** It was killed: after a boot Docker would not start it again under `unless-stopped`. */
function policyWhileStopped({ policy }: OldContainer): RestartPolicy {
  return policy.Name === 'unless-stopped' ? { Name: 'always' } : policy
}

/** The way back: a restart of the Engine must never start two, and never none. */
export async function handBackPolicy(old: OldContainer, nextId: string, docker: Docker): Promise<void> {
  const next = await docker.inspectContainer(nextId)
  const hadPolicy = next !== undefined && !hasNoPolicy(next)
  if (hadPolicy) await docker.setRestartPolicy(nextId, { Name: 'no' })
  if (!(await docker.inspectContainer(old.id))) return
  const stranger = await nameTaker(old, nextId, docker)
  try {
    await docker.setRestartPolicy(
      old.id,
      stranger?.isRunning === true ? { Name: 'no' } : policyWhileStopped(old),
    )
  } catch (error) {
    if (hadPolicy && !isEngineGone(error))
      await docker.setRestartPolicy(nextId, old.policy).catch(() => undefined)
    throw error
  }
  if (!stranger) await docker.renameContainer(old.id, old.name)
}

export function hasNoPolicy({ HostConfig: { RestartPolicy } }: ContainerJson): boolean {
  return ['', 'no'].includes(RestartPolicy.Name)
}

function oldCameBack({ name }: OldContainer): AgentError {
  return new AgentError(
    'old-came-back',
    `cannot keep the new ${name}: the old one was started again during the run`,
    {
      fix: 'journalctl -u docker shows whether Docker Engine was restarted; run the command again',
    },
  )
}
