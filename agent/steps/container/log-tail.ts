import { linesSince, logLines } from '../../core/docker/log-lines.ts'
import {
  logText,
  type NodePart,
  nodeLogText,
  type PartLog,
  partLogPath,
  partsBehind,
} from '../../core/docker/node-logs.ts'
import type { ContainerRuntime } from '../../ports/docker.ts'

/** More than is quoted: a hidden key has several lines. */
const LOG_LINES = 50

/** For the end of a sentence: the run removes the container, so the reason keeps its last log lines. */
export async function logTail(docker: ContainerRuntime, container: string): Promise<string> {
  return logText(logLines(await docker.containerLog(container, LOG_LINES)))
}

/** The same for a calico/node, whose parts log to files; `why` it fails shows which parts matter. */
export async function nodeLogTail(docker: ContainerRuntime, container: string, why: string): Promise<string> {
  const [own, parts] = await Promise.all([
    docker.containerLog(container, LOG_LINES),
    partLogs(docker, container, partsBehind(why)),
  ])
  return nodeLogText(logLines(own), parts, why)
}

/** The files are mostly the host's, and the old container used them before: leaves out what that one wrote. */
async function partLogs(
  docker: ContainerRuntime,
  container: string,
  parts: readonly NodePart[],
): Promise<PartLog[]> {
  const found = await docker.inspectContainer(container).catch(() => undefined)
  if (found === undefined) return []
  const { StartedAt } = found.State
  return await Promise.all(
    parts.map(async (part) => {
      const file = await docker.containerFileTail(container, partLogPath(part))
      const isOfThis = file !== undefined && Date.parse(file.modifiedAt) >= Date.parse(StartedAt)
      return { part, lines: isOfThis ? linesSince(logLines(file.text), StartedAt) : [] }
    }),
  )
}
