import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '../../core/errors.ts'
import type { Docker, ExecResult } from '../../ports/docker.ts'
import { startDeadline } from '../deadline.ts'
import { checkAnswer } from './answer.ts'
import type { Request } from './connection.ts'
import { readUpTo } from './read.ts'

/** `birdcl show protocols all` has more than 1 kB for each peer. */
const maxOutputBytes = 8 * 1024 * 1024
const headerBytes = 8
const exitPollMs = 20

/** `docker exec` without a terminal: output and error output in the order in which they came. */
export function execCall(request: Request): Docker['exec'] {
  return async (id, argv, timeoutMs): Promise<ExecResult> => {
    const what = `run ${argv.join(' ')} in container ${id}`
    const deadline = startDeadline(timeoutMs)
    const timeout = deadline.signal
    const options = { signal: timeout, timeoutMs: Infinity }
    try {
      const exec = await request(
        what,
        (engine, abortSignal) =>
          engine
            .getContainer(encodeURIComponent(id))
            .exec({ Cmd: argv, AttachStdout: true, AttachStderr: true, abortSignal }),
        options,
      )
      checkAnswer(what, exec, { id: 'string' })
      const output = await request(
        what,
        async (_engine, abortSignal) => {
          const stream = await exec.start({ Detach: false, Tty: false, abortSignal })
          return demultiplex(await readUpTo(stream, maxOutputBytes))
        },
        options,
      )
      while (true) {
        const answer = await request(what, (_, abortSignal) => exec.inspect({ abortSignal }), options)
        const { Running, ExitCode } = checkAnswer(what, answer, execShape) as ExecState
        // the output's end is seen a moment before the exit is recorded
        if (!Running && ExitCode != null) return { exitCode: ExitCode, output }
        await sleep(exitPollMs, undefined, { signal: timeout })
      }
    } catch (error) {
      if (timeout.aborted) throw execTimeout(what, timeoutMs)
      throw error
    } finally {
      deadline.clear()
    }
  }
}

/** The part of `GET /exec/{id}/json` that is read. */
interface ExecState {
  Running: boolean
  ExitCode?: number | null
}

const execShape = { Running: 'boolean', ExitCode: 'number?' } as const

/** The Engine has no call that ends an exec: the program runs until it exits by itself. */
function execTimeout(what: string, timeoutMs: number): AgentError {
  return new AgentError('exec-timeout', `cannot ${what}: it did not finish within ${timeoutMs / 1000} s`, {
    fix: 'check what hangs in the container: docker top CONTAINER',
  })
}

/**
 * Joins the frames of Docker's raw stream: one byte of stream type, three of nothing, four of length, payload
 * (Engine API, "Attach to a container", stream format). A truncated frame yields what there is of it.
 */
export function demultiplex(raw: Buffer): string {
  const payloads: Buffer[] = []
  for (let at = 0; at + headerBytes <= raw.length; ) {
    const start = at + headerBytes
    at = start + raw.readUInt32BE(at + 4)
    payloads.push(raw.subarray(start, at))
  }
  return Buffer.concat(payloads).toString()
}
