import type { Docker } from '../ports/docker.ts'

const LOG_LINES = 5

/** The container is removed with the run: what it said last is kept in the reason. */
export async function lastWords(docker: Docker, container: string): Promise<string> {
  const log = await docker.containerLog(container, LOG_LINES)
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  return lines.length === 0 ? '' : `; the end of its log: ${lines.join(' | ').slice(-500)}`
}
