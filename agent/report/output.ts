import { constants, fstatSync, openSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'

const { O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants

/** Of a pipe, and of a terminal that was hung up. */
const NO_READER = ['EPIPE', 'EIO']
/** A stopped terminal continues shortly after the key. */
const RETRY_MS = 20

export interface Limit {
  /** What is kept for a reader that does not read. */
  bytes: number
  /** Marks missing lines, once the reader reads again. */
  dropped: (lines: number) => string
}

/**
 * What is written to a descriptor without ever waiting for who reads it. It is written before the call returns where
 * there is room, so that a crash loses none; else it is kept and tried again. A terminal that is stopped (Ctrl-S), an ssh
 * that hangs and a pipe that is full hold nothing up but what they show.
 */
export class Output {
  readonly #fd: number
  readonly #limit: Limit | null
  #pending: Buffer[] = []
  #pendingBytes = 0
  #droppedLines = 0
  #isGone = false
  #timer: NodeJS.Timeout | undefined
  #drained: (() => void)[] = []

  constructor(fd: 1 | 2, limit: Limit | null = null) {
    this.#fd = openAnew(fd)
    this.#limit = limit
  }

  /** Something that was written waits for its reader. */
  get isPending(): boolean {
    return this.#pending.length > 0
  }

  /** The last write found no reader: a pipe that is closed, a terminal that was hung up. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** A whole line, or several. */
  write(text: string): void {
    const bytes = Buffer.from(text)
    if (this.#limit && this.isPending && this.#pendingBytes + bytes.length > this.#limit.bytes) {
      this.#droppedLines += 1
      return
    }
    this.#keep(bytes)
    if (this.#timer === undefined) this.#flush()
  }

  /** Resolves when all is read, or nobody can. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isPending) this.#drained.push(resolve)
      else resolve()
    })
  }

  #keep(bytes: Buffer): void {
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
  }

  #flush(): void {
    this.#timer = undefined
    if (this.#pending.length > 1) this.#pending = [Buffer.concat(this.#pending)]
    while (this.#writeFirst());
    if (this.isPending) {
      this.#timer = setTimeout(() => {
        this.#flush()
      }, RETRY_MS)
    } else if (this.#droppedLines > 0) {
      const line = this.#limit?.dropped(this.#droppedLines) ?? ''
      this.#droppedLines = 0
      this.write(line)
    } else for (const resolve of this.#drained.splice(0)) resolve()
  }

  /** Whether to go on. */
  #writeFirst(): boolean {
    const first = this.#pending.shift()
    if (first === undefined) return false
    this.#pendingBytes -= first.length
    try {
      const count = writeSync(this.#fd, first)
      if (count < first.length) this.#putBack(first.subarray(count))
      this.#isGone = false
      return true
    } catch (error) {
      // A full disk, a reader that is gone: leave out what cannot be written, and do not end a run for it.
      const { code = '' } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN') this.#putBack(first)
      this.#isGone = NO_READER.includes(code)
      return false
    }
  }

  #putBack(bytes: Buffer): void {
    this.#pending.unshift(bytes)
    this.#pendingBytes += bytes.length
  }
}

/**
 * A descriptor that does not block. Opened anew, a terminal or a pipe has its own O_NONBLOCK, and the shell that shares
 * the given one keeps its own. Files never block; a socket cannot be opened anew: Node makes it non-blocking itself, and
 * restores it at the exit.
 */
function openAnew(fd: 1 | 2): number {
  try {
    const stats = fstatSync(fd)
    if (stats.isSocket()) return (fd === 1 ? process.stdout : process.stderr).fd
    if (!stats.isFIFO() && !isatty(fd)) return fd
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
  } catch {
    // without a reader a pipe cannot be opened: writing to the given one says so
    return fd
  }
}
