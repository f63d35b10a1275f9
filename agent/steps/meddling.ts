import type { ContainerJson } from '../core/docker/json.ts'
import { AgentError } from '../core/errors.ts'
import type { Gate, OldContainer } from '../core/plan/plan.ts'
import type { Docker } from '../ports/docker.ts'
import { isRunning } from './running.ts'
import type { StepContext } from './step.ts'

/**
 * A pull takes minutes, in which an operator may lay hands on the old container: a plan that was made before is not
 * carried out on another one, nor on a BIRD that has not recovered since.
 * Returns the old container.
 * @throws AgentError `changed-meanwhile`
 */
export async function refuseStalePlan(
  old: OldContainer,
  { daemons }: Pick<Gate, 'daemons'>,
  { docker, bird }: Pick<StepContext, 'docker' | 'bird'>,
): Promise<ContainerJson> {
  const found = await docker.inspectContainer(old.id)
  if (!found) throw changed(old, 'removed or made anew')
  if (found.Name !== `/${old.name}`) throw changed(old, `renamed to ${found.Name.slice(1)}`)
  if (found.State.Running !== old.wasRunning) throw changed(old, old.wasRunning ? 'stopped' : 'started')
  for (const { endpoint } of daemons) {
    const view = await bird.look(endpoint, old.id)
    // BIRD's "last reboot" moves with the wall clock: the recovery itself tells of a restart that matters.
    if (view.state !== 'up') throw changed(old, 'stopped: its BIRD does not answer')
    if (view.recovering) throw changed(old, 'restarted: its BIRD is in its recovery')
  }
  return found
}

/** Two calico-nodes on a host: whoever started the old one again wants that one. */
export async function refuseSecondNode(old: OldContainer, docker: Docker): Promise<void> {
  if (await isRunning(old.id, docker)) throw changed(old, 'started again beside the new one')
}

function changed({ name }: OldContainer, how: string): AgentError {
  return new AgentError(
    'changed-meanwhile',
    `cannot go on: in the middle of the run, somebody else had ${name} ${how}`,
    { fix: 'see who else works on this host, and run the command again' },
  )
}
