import type { ContainerJson } from '../../core/docker/json.ts'
import { AgentError, ExitCode } from '../../core/errors.ts'
import type { ManifestChange } from '../../core/plan/plan.ts'
import type { PodContainer } from '../../core/pod/static-pod.ts'
import type { FileAttributes, Manifests } from '../../ports/manifests.ts'
import { leftAsItIs } from '../changed-file.ts'
import { downTime, runningPeriod, stoppedAt, wallTime } from '../controllers/gap.ts'
import { passedCheck, untilHealthy } from '../controllers/trial.ts'
import type { Step, StepContext } from '../step.ts'
import { allInPods, runningInPods, untilGone, untilRuns } from './containers.ts'

/**
 * A kubelet that sees another manifest starts the new pod while the old one is still stopping: so take the manifest
 * out, wait until the old pod is gone, and only then put the new manifest in place. A reboot in between starts none.
 */
export const swapStaticPod: Step<'swap-static-pod'> = {
  moves: true,
  describe: ({ pod, manifest, to }) =>
    `swap ${pod.container} by ${manifest.path}: remove the manifest and wait until the kubelet has stopped the old one, then put it back with ${to}; until it is up, new policies, pod labels and namespaces are not handled`,

  async capture({ manifest, pod, kubelet: unit, check: planned }, context) {
    const { docker, kubelet, manifests } = context
    const attributes = await manifests.attributes(manifest.path)
    if (attributes === null || (await manifests.read(manifest.path)) !== manifest.before)
      throw changed(manifest.path)
    if (unit !== null && (await kubelet.startedAt(unit)) === null) throw notRunning(unit)
    const running = (await runningInPods(pod.container, docker)).map(({ id }) => id)
    if (running.length > 1) throw second(pod.container)
    const known = (await allInPods(pod.container, docker)).map(({ id }) => id)
    return { running, known, attributes, check: await passedCheck(running[0], planned, context) }
  },

  async do({ manifest, pod, stopMs }, { attributes }, context) {
    const { manifests, signal } = context
    const text = await manifests.read(manifest.path)
    const isOut = (await manifests.attributes(manifest.wayBack)) !== null
    if (text === manifest.after && isOut) return
    if (text === null ? !isOut : text !== manifest.before) throw changed(manifest.path)
    if (text !== null) await manifests.takeOut(manifest.path, manifest.wayBack)
    // the kubelet notices it after a while: the old one keeps running until then
    context.since = (await untilGone(pod, stopMs, context, signal)) ?? context.since
    if ((await manifests.read(manifest.path)) !== null) throw changed(manifest.path)
    await manifests.put(manifest.path, manifest.after, attributes)
  },

  async verify({ manifest, pod, to, check: planned, settleMs }, { running, known, ...before }, context) {
    const { docker, manifests, signal } = context
    const { check = planned } = before
    const found = await untilRuns(pod, { image: to, known }, context, signal)
    await untilHealthy(found.Id, check, settleMs, context)
    if ((await manifests.read(manifest.path)) !== manifest.after) throw changed(manifest.path)
    if ((await runningInPods(pod.container, docker)).length > 1) throw second(pod.container)
    return downTime(await endOfOld(running, context), found)
  },

  /** Once the new manifest is in place, the kubelet starts the new one, and the gate decides. */
  goesOn: async ({ manifest: { path, after } }, _before, { manifests }) =>
    (await manifests.read(path)) === after,

  async undo({ manifest, pod, stopMs }, { running, attributes }, context) {
    const { manifests, clock } = context
    const text = await manifests.read(manifest.path)
    const trial = await newIn(pod, running, context)
    let goneAt = clock.now()
    if (isForeign(manifest, text)) {
      await manifests.remove(manifest.wayBack)
      return { problems: [leftAsItIs('manifest-changed', manifest.path)] }
    }
    if (text === manifest.before) await manifests.remove(manifest.wayBack)
    else {
      const untilMay = async () => {
        goneAt = (await untilGoneOrOld({ pod, stopMs, running }, context)) ?? goneAt
      }
      await putBack(manifest, attributes, untilMay, manifests)
    }
    // one that did not run before need not run now
    if (running.length === 0) return {}
    const back = await untilRuns(pod, null, context).catch(notRestored)
    if (running.includes(back.Id)) return {}
    return downTime(await endOfOld(running, context), back, runningPeriod(trial, wallTime(goneAt, clock)))
  },
}

/** The kubelet removes what it has stopped some time later. */
async function endOfOld([id]: string[], context: StepContext): Promise<number> {
  return stoppedAt(id === undefined ? undefined : await context.docker.inspectContainer(id), context)
}

/** The container on trial, if it runs. */
async function newIn(
  { container }: PodContainer,
  running: string[],
  { docker }: StepContext,
): Promise<ContainerJson | undefined> {
  const one = (await runningInPods(container, docker)).find(({ id }) => !running.includes(id))
  return one && (await docker.inspectContainer(one.id))
}

async function putBack(
  { path, before, wayBack }: ManifestChange,
  attributes: FileAttributes,
  untilMay: () => Promise<void>,
  manifests: Manifests,
): Promise<void> {
  await manifests.remove(path)
  await untilMay()
  if (!(await manifests.bringBack(wayBack, path))) await manifests.put(path, before, attributes)
}

/** A kubelet that has not reacted still runs the old one: it then needs its manifest back. */
async function untilGoneOrOld(
  { pod, stopMs, running }: { pod: PodContainer; stopMs: number; running: string[] },
  context: StepContext,
): Promise<number | null> {
  try {
    return await untilGone(pod, stopMs, context)
  } catch (error) {
    const now = await runningInPods(pod.container, context.docker)
    if (now.length === 0 || now.some(({ id }) => !running.includes(id))) throw error
    return null
  }
}

function isForeign({ before, after }: ManifestChange, text: string | null): boolean {
  return text !== null && text !== before && text !== after
}

function changed(path: string): AgentError {
  return new AgentError(
    'manifest-changed',
    `cannot swap by ${path}: another process changed it during the run`,
    {
      fix: 'run the upgrade again when nothing else changes it',
    },
  )
}

function notRunning(unit: string): AgentError {
  return new AgentError('kubelet-not-running', `cannot swap a static pod: ${unit} is not running`, {
    fix: `systemctl start ${unit}`,
  })
}

function second(container: string): AgentError {
  return new AgentError(
    'second-controllers',
    `cannot continue: several containers ${container} are running on this host`,
    {
      fix: `docker ps --filter label=io.kubernetes.container.name=${container}; two instances would both write`,
    },
  )
}

function notRestored(error: unknown): never {
  if (!(error instanceof AgentError) || error.code !== 'static-pod-not-started') throw error
  const { message, fix } = error.asProblem()
  throw new AgentError('not-restored', message, { fix, exitCode: ExitCode.stuck, cause: error })
}
