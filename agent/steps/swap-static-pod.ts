import { AgentError, ExitCode, type Problem } from '../core/errors.ts'
import type { ManifestChange } from '../core/plan/plan.ts'
import type { PodContainer } from '../core/pod/static-pod.ts'
import type { FileAttributes, Manifests } from '../ports/manifests.ts'
import { untilHealthy } from './controllers-trial.ts'
import { allInPods, runningInPods, untilGone, untilRuns } from './static-pod-containers.ts'
import type { Step, StepContext, StepResult } from './step.ts'

/**
 * A kubelet that sees another manifest starts the new pod while the old one still ends: so the manifest is taken out
 * first, the old pod seen gone, and only then the new manifest put in place. A reboot between the two starts none.
 */
export const swapStaticPod: Step<'swap-static-pod'> = {
  moves: true,
  describe: ({ pod, manifest, to }) =>
    `swap ${pod.container} by ${manifest.path}: take the manifest out and see the kubelet stop the old one, then put it back with ${to}; until it is up no new policy, pod label or namespace is handled`,

  async capture({ manifest, pod, kubelet: unit }, { docker, kubelet, manifests }) {
    const attributes = await manifests.attributes(manifest.path)
    if (attributes === null || (await manifests.read(manifest.path)) !== manifest.before)
      throw changed(manifest.path)
    if (unit !== null && (await kubelet.startedAt(unit)) === null) throw notRunning(unit)
    const running = (await runningInPods(pod.container, docker)).map(({ id }) => id)
    if (running.length > 1) throw second(pod.container)
    const known = (await allInPods(pod.container, docker)).map(({ id }) => id)
    return { running, known, attributes }
  },

  async do({ manifest, pod, stopMs }, { attributes }, context) {
    const { manifests, signal } = context
    const text = await manifests.read(manifest.path)
    const isOut = (await manifests.attributes(manifest.wayBack)) !== null
    if (text === manifest.after && isOut) return
    if (text === null ? !isOut : text !== manifest.before) throw changed(manifest.path)
    if (text !== null) await manifests.takeOut(manifest.path, manifest.wayBack)
    await untilGone(pod, stopMs, context, signal)
    if ((await manifests.read(manifest.path)) !== null) throw changed(manifest.path)
    await manifests.put(manifest.path, manifest.after, attributes)
  },

  async verify({ manifest, pod, to, check, settleMs }, { known }, context) {
    const { docker, manifests, signal } = context
    const { Id, State } = await untilRuns(pod, { image: to, known }, context, signal)
    await untilHealthy(Id, check, settleMs, context)
    if ((await manifests.read(manifest.path)) !== manifest.after) throw changed(manifest.path)
    if ((await runningInPods(pod.container, docker)).length > 1) throw second(pod.container)
    return downTime(State.StartedAt, context)
  },

  /** With the new manifest in place the kubelet starts the new one, and it is for the gate to say. */
  goesOn: async ({ manifest: { path, after } }, _before, { manifests }) =>
    (await manifests.read(path)) === after,

  async undo({ manifest, pod, stopMs }, { running, attributes }, context) {
    const { manifests } = context
    const text = await manifests.read(manifest.path)
    if (isForeign(manifest, text)) {
      await manifests.remove(manifest.wayBack)
      return { problems: [left(manifest.path)] }
    }
    if (text === manifest.before) await manifests.remove(manifest.wayBack)
    else
      await putBack(manifest, attributes, () => untilGoneOrOld({ pod, stopMs, running }, context), manifests)
    // one that did not run before need not run now
    if (running.length === 0) return {}
    const { Id, State } = await untilRuns(pod, null, context).catch(notRestored)
    return running.includes(Id) ? {} : downTime(State.StartedAt, context)
  },
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

/** A kubelet that heeds nothing still has the old one run: then its manifest belongs to it. */
async function untilGoneOrOld(
  { pod, stopMs, running }: { pod: PodContainer; stopMs: number; running: string[] },
  context: StepContext,
): Promise<void> {
  try {
    await untilGone(pod, stopMs, context)
  } catch (error) {
    const now = await runningInPods(pod.container, context.docker)
    if (now.length === 0 || now.some(({ id }) => !running.includes(id))) throw error
  }
}

function isForeign({ before, after }: ManifestChange, text: string | null): boolean {
  return text !== null && text !== before && text !== after
}

/** The kubelet removes what it stopped: its end is counted from the step's first move, which was before it. */
function downTime(startedAt: string, { since, clock }: StepContext): StepResult {
  const began = clock.date().getTime() - (clock.now() - since)
  return { downMs: Math.max(0, Math.round(Date.parse(startedAt) - began)) }
}

function changed(path: string): AgentError {
  return new AgentError(
    'manifest-changed',
    `cannot swap by ${path}: somebody else has changed it meanwhile`,
    {
      fix: 'run the upgrade again when nobody else is at work on it',
    },
  )
}

function left(path: string): Problem {
  return {
    code: 'manifest-changed',
    severity: 'warning',
    message: `${path} was changed by somebody else meanwhile, and is left as it is`,
    fix: `look at ${path}`,
  }
}

function notRunning(unit: string): AgentError {
  return new AgentError('kubelet-not-running', `cannot swap a static pod: ${unit} does not run`, {
    fix: `systemctl start ${unit}`,
  })
}

function second(container: string): AgentError {
  return new AgentError(
    'second-controllers',
    `cannot go on: several containers ${container} run on this host`,
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
