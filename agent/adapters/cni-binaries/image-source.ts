import { randomUUID } from 'node:crypto'
import { posix } from 'node:path'
import { AgentError } from '../../core/errors.ts'
import { messageOf } from '../../core/message-of.ts'
import type { ContainerArchive, Docker } from '../../ports/docker.ts'
import { startDeadline } from '../deadline.ts'
import { isAtWork, readerName } from './reader.ts'
import { bounded, missingBinaries, type ReadSource, refused, type TakeFile } from './source.ts'
import { untar } from './untar.ts'

/** Where images of calico/cni have their plugins, early ones and late ones. */
const DIRECTORIES = ['/opt/cni/bin', '/opt/cni/bin/install']
const MAX_LINKS = 5
/** Its value names the agent that reads from the container. */
const SOURCE_LABEL = 'calico-agent.cni-source'
/** All reads of one image together; a disk that is busy gives 20 MB/s. */
const TIMEOUT_MS = 300_000

/** What of the Engine is needed to read an image. */
export type ImageReader = Pick<
  Docker,
  | 'createContainer'
  | 'inspectContainer'
  | 'listContainers'
  | 'removeContainer'
  | 'removeVolume'
  | 'openContainerArchive'
>

/** Copies out of a container that is created, never started: an image may have no shell, and nothing of it may run. */
export function imageSource(docker: ImageReader, image: string): ReadSource {
  return async (names, take, signal) => {
    await removeOrphans(docker)
    const id = await docker.createContainer(`calico-agent-cni-${randomUUID()}`, bodyOf(image))
    const deadline = startDeadline(TIMEOUT_MS)
    const limited = AbortSignal.any([signal, deadline.signal])
    try {
      const missing: string[] = []
      for (const name of names) if (!(await takeFile(docker, id, name, take, limited))) missing.push(name)
      if (missing.length > 0) throw missingBinaries(image, missing, await filesIn(docker, id, limited))
    } finally {
      deadline.clear()
      await removeWithVolumes(docker, id)
    }
  }
}

/** Containers of agents that died while they read. */
export async function removeOrphans(docker: ImageReader): Promise<void> {
  for (const { id, labels } of await docker.listContainers(SOURCE_LABEL)) {
    if (!isAtWork(labels[SOURCE_LABEL] ?? '', Date.now())) await removeWithVolumes(docker, id)
  }
}

function bodyOf(image: string) {
  return {
    Image: image,
    // an image from scratch has no command, and the Engine creates no container without one
    Cmd: ['/never-started'],
    Labels: { [SOURCE_LABEL]: readerName(Date.now()) },
    HostConfig: { NetworkMode: 'none', RestartPolicy: { Name: 'no' } },
  }
}

/** Old images have `VOLUME /opt/cni`: the Engine made a volume of it, which nobody else knows. */
async function removeWithVolumes(docker: ImageReader, id: string): Promise<void> {
  const container = await docker.inspectContainer(id)
  if (!container) return
  await docker.removeContainer(id)
  for (const { Type, Name = '' } of container.Mounts) {
    if (Type === 'volume' && /^[0-9a-f]{64}$/.test(Name)) await docker.removeVolume(Name)
  }
}

/** Whether the image has it. */
async function takeFile(
  docker: ImageReader,
  id: string,
  name: string,
  take: TakeFile,
  signal: AbortSignal,
): Promise<boolean> {
  for (const directory of DIRECTORIES) {
    const archive = await openFile(docker, id, `${directory}/${name}`, signal)
    if (!archive) continue
    try {
      for await (const { header, content } of untar(archive.tar)) {
        if (header.type !== 'file') continue
        const executable = (header.mode & 0o111) !== 0
        await take({ name, executable, content: bounded(content, `${directory}/${name}`, signal) })
        return true
      }
    } catch (error) {
      signal.throwIfAborted()
      throw error instanceof AgentError ? error : cutOff(name, error)
    } finally {
      archive.close()
    }
  }
  return false
}

/** The Engine resolves links inside the container's own root: none leads to the host's files. */
async function openFile(
  docker: ImageReader,
  id: string,
  path: string,
  signal: AbortSignal,
): Promise<ContainerArchive | undefined> {
  let at = path
  for (let links = 0; links <= MAX_LINKS; links++) {
    const archive = await docker.openContainerArchive(id, at, signal)
    if (archive === undefined || archive.kind === 'file') return archive
    archive.close()
    if (archive.kind === 'other') return undefined
    at = posix.resolve(posix.dirname(at), archive.linkTarget)
  }
  throw refused('cni-source-hostile', path, 'its symbolic links form a loop', { fix: 'use another image' })
}

async function filesIn(docker: ImageReader, id: string, signal: AbortSignal): Promise<string[]> {
  const names: string[] = []
  for (const directory of DIRECTORIES) {
    const archive = await docker.openContainerArchive(id, directory, signal)
    if (archive?.kind !== 'other') {
      archive?.close()
      continue
    }
    for await (const { header } of untar(archive.tar)) {
      const [, name, ...deeper] = header.name.split('/')
      if (header.type !== 'directory' && name && deeper.length === 0) names.push(name)
    }
  }
  return names
}

function cutOff(name: string, error: unknown): AgentError {
  const reason = messageOf(error)
  return refused('cni-source-unreadable', name, `Docker Engine ended the copy early: ${reason}`, {
    fix: "check Docker Engine's log: journalctl -u docker",
    cause: error,
  })
}
