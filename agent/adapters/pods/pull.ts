import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError, isTransient } from '../../core/errors.ts'
import type { PodObject } from '../../core/kubernetes/pod.ts'
import { type PullState, pullPod, pullPodLabels, pullStateOf } from '../../core/runtime/pull-pod.ts'
import type { ContainerRuntime } from '../../ports/docker.ts'
import type { Kubernetes } from '../../ports/kubernetes.ts'

type OnProgress = Parameters<ContainerRuntime['pullImage']>[1]

export interface PullOptions {
  /** How often the kubelet may try, whose pauses grow from 10 s. */
  tries: number
  /** Of one try; the kubelet has no limit of its own. */
  limitMs: number
  pollMs: number
}

/** What a pull asks of the API server. */
export type PullApi = Pick<Kubernetes, 'list' | 'create' | 'remove' | 'checkRight'>

export interface PullPlace {
  /** Where the pod is made. */
  namespace: string
  node: string
}

/**
 * Has the kubelet pull an image, by a pod that is bound to this host and removed afterwards. Resolves to what the kubelet
 * says the image is.
 * @throws AgentError with the kubelet's reason
 */
export async function pullByPod(
  image: string,
  { namespace, node }: PullPlace,
  kubernetes: PullApi,
  { signal, onProgress, ...options }: PullOptions & { signal: AbortSignal; onProgress: OnProgress },
): Promise<string | null> {
  signal.throwIfAborted()
  const key = shortHash(node)
  const of = { kind: 'Pod', namespace } as const
  await kubernetes.checkRight('delete', { ...of, name: '' })
  const pods = (): Promise<PodObject[]> => kubernetes.list(of, pullPodLabels(key))
  await removeAll(await pods(), kubernetes)
  const name = `calico-agent-pull-${key}-${shortHash(`${image} ${process.pid} ${Date.now()}`)}`
  const made = await kubernetes.create({ ...of, name }, pullPod({ namespace, name, node, key, image }))
  try {
    return await untilPulled({ image, signal, onProgress, ...options }, async () => {
      const found = (await pods()).find(({ metadata }) => metadata.uid === made.metadata.uid)
      return found && pullStateOf(found)
    })
  } finally {
    // one that is left is removed by the next pull
    await removeAll([made], kubernetes).catch(() => undefined)
  }
}

interface Pull extends PullOptions {
  image: string
  signal: AbortSignal
  onProgress: OnProgress
}

async function untilPulled(
  { image, signal, onProgress, tries, limitMs, pollMs }: Pull,
  look: () => Promise<PullState | undefined>,
): Promise<string | null> {
  const reasons = new Reasons()
  let deadline = performance.now() + limitMs
  for (;;) {
    const now = await look().catch(whileAway)
    if (now === undefined) throw gone(image)
    if (now.state === 'pulled') return now.imageId
    if (now.state === 'failed') {
      const isNew = reasons.add(now.reason)
      const failed = pullFailed(image, reasons.last)
      if (now.isFinal || failureOf(reasons.last) || reasons.tries >= tries) throw failed
      if (isNew) {
        deadline = performance.now() + limitMs
        onProgress({ ...NOTHING, retry: { attempt: reasons.tries, reason: failed.message } })
      }
    }
    if (performance.now() > deadline) throw stalled(image, limitMs)
    await sleep(pollMs, undefined, { signal }).catch(() => {
      signal.throwIfAborted()
    })
  }
}

/** The kubelet tells no sizes. */
const NOTHING = { currentBytes: 0, totalBytes: 0, layersDone: 0, layers: 0 }

/** Why the kubelet's tries failed. Between two of them it says that it waits (`ImagePullBackOff`), and no more why. */
class Reasons {
  tries = 0
  last = ''
  #said = ''

  /** Returns whether it tells of another try. */
  add(reason: string): boolean {
    const isNew = reason !== this.#said && !reason.startsWith('ImagePullBackOff')
    this.#said = reason
    if (this.last === '' || isNew) {
      this.last = reason
      this.tries += 1
    }
    return isNew
  }
}

/** A pod that waits for the API server is pulled on meanwhile. */
function whileAway(error: unknown): PullState {
  if (isTransient(error)) return { state: 'pulling' }
  throw error
}

async function removeAll(pods: PodObject[], kubernetes: Pick<Kubernetes, 'remove'>): Promise<void> {
  for (const { metadata } of pods)
    await kubernetes.remove({ kind: 'Pod', namespace: metadata.namespace, name: metadata.name }, metadata.uid)
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

interface Failure {
  /** As containerd and CRI-O word it; first match wins. */
  pattern: RegExp
  code: string
  fix: string
}

/** What another try of the kubelet's does not mend. */
const FAILURES: Failure[] = [
  {
    pattern: /code = NotFound|manifest unknown|name unknown|: not found$|repository does not exist/i,
    code: 'image-not-found',
    fix: 'check the name and the tag',
  },
  {
    pattern: /unauthori[sz]ed|\bdenied\b|\bforbidden\b|insufficient_scope|\b40[13]\b/i,
    code: 'registry-denied',
    fix: "give the default account of the agent's namespace a pull secret (docs/in-cluster.md)",
  },
  {
    pattern: /no match for platform|no image found .* for architecture/i,
    code: 'image-wrong-platform',
    fix: "choose a tag that is built for this host's architecture",
  },
  {
    pattern: /no space left on device/i,
    code: 'no-space',
    fix: 'free space on the host: crictl rmi --prune removes unused images',
  },
]

function pullFailed(image: string, reason: string): AgentError {
  const { code, fix } = failureOf(reason) ?? {
    code: 'pull-failed',
    fix: `pull it by hand on the host, which shows what is wrong: crictl pull ${image}`,
  }
  return new AgentError(code, `cannot pull ${image}: the kubelet says ${reason}`, { fix })
}

function failureOf(reason: string): Failure | undefined {
  return FAILURES.find(({ pattern }) => pattern.test(reason))
}

function gone(image: string): AgentError {
  return new AgentError('pull-cut', `cannot pull ${image}: somebody removed the pod that pulls it`, {
    fix: 'run the command again',
  })
}

function stalled(image: string, ms: number): AgentError {
  return new AgentError(
    'pull-stalled',
    `cannot pull ${image}: the kubelet has not pulled it within ${ms / 1000} s`,
    {
      fix: 'check whether the registry or the kubelet is slow: kubectl describe node shows its events',
    },
  )
}
