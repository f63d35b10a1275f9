import { birdBaseline } from '../../core/bird/baseline.ts'
import type { HealthCheck } from '../../core/docker/health.ts'
import type { ContainerJson } from '../../core/docker/json.ts'
import { AgentError, ExitCode, isError } from '../../core/errors.ts'
import type { Gate, OldContainer } from '../../core/plan/plan.ts'
import { refusalOf } from '../../core/preflight.ts'
import type { Docker } from '../../ports/docker.ts'
import { foreignNode, nameTaker } from '../container/other-nodes.ts'
import { isRunning } from '../container/running.ts'
import type { StepContext } from '../step.ts'
import { checkDialling } from '../window/dial-guard.ts'
import { ASK_AGAIN_MS, askAgain } from './ask-again.ts'
import { failingCheck, lookAtFelix } from './health.ts'

/**
 * The look right before the KILL. A pull takes minutes: peers come and go meanwhile, an operator may change
 * the old container. The new node is compared with what the old one shows now, not with what it showed to the plan.
 * @throws AgentError `changed-meanwhile`, or the code of the rule that now prevents the run
 */
export async function finalCheck(
  old: OldContainer,
  planned: Gate,
  context: StepContext,
): Promise<{ found: ContainerJson; gate: Gate }> {
  const found = await foundAsPlanned(old, context)
  // do slow work before the look at the peers: nothing may come between that look and the KILL
  const guard = await checkDialling(planned, context)
  const [health, felix] = await Promise.all([
    passedChecks(old, planned, context),
    old.wasRunning ? seenFelix(old, context) : null,
  ])
  const gate = await (context.recheck ? judgedAnew(old, planned, context) : seenAnew(old, planned, context))
  return {
    found,
    gate: {
      ...gate,
      daemons: guard ? gate.daemons : gate.daemons.map((daemon) => ({ ...daemon, dialling: [] })),
      health,
      felix: typeof felix === 'number',
      dockerHealth: found.State.Health?.Status === 'healthy',
    },
  }
}

/** @throws AgentError `changed-meanwhile` */
export async function foundAsPlanned(
  old: OldContainer,
  { docker }: Pick<StepContext, 'docker'>,
): Promise<ContainerJson> {
  const found = await docker.inspectContainer(old.id)
  if (!found) throw changed(old, 'removed or recreated')
  if (found.Name !== `/${old.name}`) throw changed(old, `renamed to ${found.Name.slice(1)}`)
  if (found.State.Running !== old.wasRunning) throw changed(old, old.wasRunning ? 'stopped' : 'started')
  const { Name: policy } = found.HostConfig.RestartPolicy
  if (policy !== old.policy.Name) throw changed(old, `given another restart policy, ${policy || 'none'}`)
  return found
}

async function judgedAnew(old: OldContainer, planned: Gate, context: StepContext): Promise<Gate> {
  const { gate, problems } = (await context.recheck?.(old, planned)) ?? { gate: planned, problems: [] }
  const silent = planned.daemons.find(
    ({ endpoint, baseline }) =>
      baseline.established.length > 0 &&
      !gate.daemons.some((daemon) => daemon.endpoint.family === endpoint.family),
  )
  const errors = problems.filter(isError)
  // report first what does not go away by itself
  const first = errors.find((problem) => refusalOf([problem]) === 'refused') ?? errors[0]
  if (first === undefined) {
    // the one for IPv6 is optional, but not once it has sessions
    if (silent) throw changed(old, `restarted: its BIRD for IPv${silent.endpoint.family} does not answer`)
    for (const problem of problems) context.emit({ type: 'problem', problem })
    return gate
  }
  const others = errors.filter((problem) => problem !== first)
  const message = [first, ...others].map((problem) => problem.message).join('; ')
  throw new AgentError(first.code, message, { fix: first.fix, exitCode: ExitCode.refused })
}

/** A resumed run has no rules to check: look here for what would lose the routes. */
async function seenAnew(old: OldContainer, planned: Gate, { bird }: StepContext): Promise<Gate> {
  const daemons = planned.daemons.map(async (daemon) => {
    const view = await bird.look(daemon.endpoint, old.id)
    // BIRD's "last reboot" moves with the wall clock: a restart that matters shows in the recovery.
    if (view.state !== 'up') throw changed(old, 'stopped: its BIRD does not answer')
    if (view.recovering) throw changed(old, 'restarted: its BIRD is recovering')
    return { ...daemon, baseline: birdBaseline(view, daemon.baseline.established) }
  })
  return { ...planned, daemons: await Promise.all(daemons) }
}

/** A check that fails on the old node too says nothing about the new one. */
async function passedChecks(
  { id, wasRunning }: OldContainer,
  { health }: Gate,
  context: StepContext,
): Promise<Gate['health']> {
  if (!wasRunning) return health
  const ask = (check: HealthCheck) => () => failingCheck(check, id, context)
  const passes = (words: string | null): boolean => words === null
  const failing = await Promise.all(
    health.map((check) => askAgain(ask(check), passes, ASK_AGAIN_MS, context)),
  )
  for (const words of failing) {
    if (words !== null) context.emit({ type: 'problem', problem: noGate(words) })
  }
  return health.filter((_, i) => failing[i] === null)
}

async function seenFelix({ id }: OldContainer, context: StepContext): Promise<number | 'none' | null> {
  const look = () => lookAtFelix(id, context)
  const felix = await askAgain(look, (seen) => seen !== null, ASK_AGAIN_MS, context)
  if (felix === null) context.emit({ type: 'problem', problem: noGate('its processes cannot be listed') })
  return felix
}

function noGate(words: string) {
  return {
    code: 'health-check-failing',
    severity: 'warning' as const,
    message: `the old node does not pass a health check, so the gate does not require it of the new one: ${words}`,
    fix: 'check why it fails; FELIX_HEALTHENABLED, FELIX_HEALTHHOST and FELIX_HEALTHPORT configure it',
  }
}

/** Two calico-nodes on a host: whoever started the old one again, or created another one, wants that one. */
export async function refuseSecondNode(old: OldContainer, nextId: string, docker: Docker): Promise<void> {
  if (await isRunning(old.id, docker)) throw changed(old, 'started again beside the new one')
  await refuseAnother(old, nextId, docker)
}

/** Someone created another one, under the old one's name or beside it. */
export async function refuseAnother(old: OldContainer, madeId: string, docker: Docker): Promise<void> {
  await refuseTakenName(old, madeId, docker)
  const foreign = await foreignNode([old.id, madeId], docker)
  if (foreign) throw changed(old, `replaced by another calico/node, ${foreign.name}`)
}

/** Someone created another one with that name: by hand, with docker-compose, or with a playbook. */
export async function refuseTakenName(old: OldContainer, nextId: string, docker: Docker): Promise<void> {
  const taker = await nameTaker(old, nextId, docker)
  if (taker) throw changed(old, `recreated: the name now belongs to ${taker.id.slice(0, 12)}`)
}

function changed({ name }: OldContainer, how: string): AgentError {
  return new AgentError('changed-meanwhile', `cannot continue: during the run, ${name} was ${how}`, {
    fix: 'find out what else works on this host, and run the command again',
  })
}
