import type { Docker } from '../../ports/docker.ts'
import type { Request } from './connection.ts'
import { demultiplex } from './exec.ts'

const timeoutMs = 2_000

/** The end of a container's log. It explains a failure and must not delay what follows: no log is an empty text. */
export function containerLogCall(request: Request): Docker['containerLog'] {
  return async (id, lines) => {
    try {
      const raw = await request(
        `read the log of container ${id}`,
        (engine, abortSignal) =>
          engine
            .getContainer(encodeURIComponent(id))
            .logs({ stdout: true, stderr: true, tail: lines, follow: false, abortSignal }),
        { timeoutMs },
      )
      return isFramed(raw) ? demultiplex(raw) : raw.toString()
    } catch {
      return ''
    }
  }
}

/** A container with a terminal logs without frames. */
function isFramed(raw: Buffer): boolean {
  return raw.length >= 8 && raw.readUInt8(0) <= 2 && raw.readUIntBE(1, 3) === 0
}
