/** A container that the kubelet started, as the link to its log names it. */
export interface LoggedContainer {
  id: string
  /** As the pod names it. */
  container: string
  pod: string
  namespace: string
  uid: string
  /** How often the kubelet had started it before. */
  attempt: number
}

/** Where the kubelet links the logs of its containers, under every container runtime. */
export const LOG_LINKS = '/var/log/containers'

const LINK = /^([^_]+)_([^_]+)_(.+)-([0-9a-f]{64})\.log$/
const TARGET = /\/([^/_]+)_([^/_]+)_([^/_]+)\/([^/]+)\/(\d+)\.log$/

/**
 * `POD_NAMESPACE_CONTAINER-ID.log` leads to `/var/log/pods/NAMESPACE_POD_UID/CONTAINER/ATTEMPT.log`: the kubelet links it as
 * soon as the container has started, and removes it with the container (kubelet/kuberuntime, startContainer,
 * legacyLogSymlink). Null where it is no such link.
 */
export function loggedContainer(link: string, target: string): LoggedContainer | null {
  const [, pod, namespace, container, id] = LINK.exec(link) ?? []
  const [, inNamespace, ofPod, uid, ofContainer, attempt] = TARGET.exec(target) ?? []
  if (pod === undefined || namespace === undefined || container === undefined || id === undefined) return null
  if (uid === undefined || inNamespace !== namespace || ofPod !== pod || ofContainer !== container)
    return null
  return { id, container, pod, namespace, uid, attempt: Number(attempt) }
}

/** `TIME STREAM TAG TEXT`, where the tag P says that the line goes on (CRI's format of logs). */
const CRI_LINE = /^\S+ (?:stdout|stderr) ([FP])(?::\S*)? ?(.*)$/

/** The last lines of what a container wrote, from the text of its log. */
export function loggedLines(text: string, lines: number): string {
  const whole: string[] = []
  let isOpen = false
  for (const line of text.split('\n')) {
    const [, tag, said] = CRI_LINE.exec(line) ?? []
    if (said === undefined) continue
    if (isOpen) whole.push((whole.pop() ?? '') + said)
    else whole.push(said)
    isOpen = tag === 'P'
  }
  return whole
    .slice(-lines)
    .map((line) => `${line}\n`)
    .join('')
}
