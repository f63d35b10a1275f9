import { linesSince, logLines } from '../../core/docker/log-lines.ts'
import { logText, NODE_PARTS, nodeLogText, type PartLog, partLogPath } from '../../core/docker/node-logs.ts'
import type { Docker } from '../../ports/docker.ts'

/** More than is quoted: a key that is hidden has several lines. */
const LOG_LINES = 50

/** For the end of a sentence: the container is removed with the run, and what it logged last is kept in the reason. */
export async function logTail(docker: Docker, container: string): Promise<string> {
  return logText(logLines(await docker.containerLog(container, LOG_LINES)))
}

/** The same of a calico/node, whose parts log to files; `why` it fails says which of them are concerned. */
export async function nodeLogTail(docker: Docker, container: string, why: string): Promise<string> {
  const [own, parts] = await Promise.all([
    docker.containerLog(container, LOG_LINES),
    partLogs(docker, container),
  ])
  return nodeLogText(logLines(own), parts, why)
}

/** The files are mostly the host's, and the old container's before: what it wrote is left out. */
async function partLogs(docker: Docker, container: string): Promise<PartLog[]> {
  const found = await docker.inspectContainer(container).catch(() => undefined)
  if (found === undefined) return []
  const { StartedAt } = found.State
  return await Promise.all(
    NODE_PARTS.map(async (part) => {
      const file = await docker.containerFileTail(container, partLogPath(part))
      const isOfThis = file !== undefined && Date.parse(file.modifiedAt) >= Date.parse(StartedAt)
      return { part, lines: isOfThis ? linesSince(logLines(file.text), StartedAt) : [] }
    }),
  )
}
