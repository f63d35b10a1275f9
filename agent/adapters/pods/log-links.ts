import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { AgentError } from '../../core/errors.ts'
import { messageOf } from '../../core/message-of.ts'
import { LOG_LINKS, type LoggedContainer, loggedContainer } from '../../core/runtime/kubelet-log.ts'

export interface Linked extends LoggedContainer {
  /** Its log on the host. */
  log: string
  /** RFC 3339: the kubelet makes the link as soon as the container has started, and none other for it. */
  startedAt: string
}

/** The containers that the kubelet has started and not removed yet. @throws AgentError `kubelet-logs-missing` */
export async function linkedContainers(root: string): Promise<Linked[]> {
  const directory = join(root, LOG_LINKS)
  const names = await readdir(directory).catch((error: unknown) => {
    throw unlisted(error)
  })
  return (await Promise.all(names.map((name) => linked(directory, name)))).flat()
}

async function linked(directory: string, name: string): Promise<Linked[]> {
  const path = join(directory, name)
  try {
    const [target, { mtime }] = await Promise.all([readlink(path), lstat(path)])
    const logged = loggedContainer(name, target)
    return logged ? [{ ...logged, log: target, startedAt: mtime.toISOString() }] : []
  } catch {
    // removed meanwhile, or not the kubelet's
    return []
  }
}

function unlisted(error: unknown): AgentError {
  const why = messageOf(error)
  return new AgentError('kubelet-logs-missing', `cannot list the containers of this host: ${why}`, {
    fix: `mount the host's ${LOG_LINKS} and /var/log/pods, as scripts/kubernetes/4-daemonset.yaml has it`,
  })
}
