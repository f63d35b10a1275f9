import type { Docker } from '../../ports/docker.ts'
import { answerInvalid, checkAnswer } from './answer.ts'
import type { Request } from './connection.ts'

/**
 * `docker top` with two columns: the Engine runs the host's own ps, for images without one too. A container that runs
 * has a process: a list without one says nothing.
 */
export function processesCall(request: Request): Docker['processes'] {
  return async (id) => {
    const what = `list the processes of container ${id}`
    const top: unknown = await request(what, (engine, abortSignal) =>
      engine.getContainer(encodeURIComponent(id)).top({ ps_args: '-eo pid,args', abortSignal }),
    )
    const { Processes } = checkAnswer(what, top, { Processes: 'array' }) as { Processes: unknown[] }
    if (Processes.length === 0) throw answerInvalid(what, 'Processes is empty')
    return Processes.map((row) => {
      if (!isRow(row)) throw answerInvalid(what, 'a row of Processes is not PID and command line')
      return { pid: Number(row[0]), args: row[1].trim() }
    })
  }
}

function isRow(row: unknown): row is [string, string] {
  return Array.isArray(row) && typeof row[0] === 'string' && typeof row[1] === 'string'
}
