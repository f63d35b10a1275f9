import { x } from 'tinyexec'

/** What systemd is told, see sd_notify(3). */
export interface Notice {
  READY?: '1'
  RELOADING?: '1'
  STOPPING?: '1'
  WATCHDOG?: '1'
  /** Shown by `systemctl status`, in one line. */
  STATUS?: string
}

/** Status lines are sent at most once a second, as each needs a process; the rest is sent at once. */
const STATUS_GAP_MS = 1000

/**
 * Notifies systemd with systemd-notify: Node has no unix datagram sockets. One child at a time; later messages are sent
 * together, the newest of each kind. Outside of a unit it does nothing.
 */
export class Notifier {
  /** Ms within which systemd expects a watchdog message; null if it does not watch. */
  readonly watchdogMs: number | null
  readonly #failed: (error: unknown) => void
  readonly #silent: boolean
  #waiting: Notice = {}
  #status = ''
  #sending: Promise<void> = Promise.resolve()
  #busy = false
  #timer: NodeJS.Timeout | undefined
  #statusAt = -Infinity
  #isReady = false

  constructor(env: NodeJS.ProcessEnv, failed: (error: unknown) => void) {
    this.#silent = (env['NOTIFY_SOCKET'] ?? '') === ''
    const wanted = Number(env['WATCHDOG_USEC'] ?? '') / 1000
    this.watchdogMs = !this.#silent && wanted > 0 ? wanted : null
    this.#failed = failed
  }

  notify({ STATUS, ...rest }: Notice): void {
    if (this.#silent) return
    Object.assign(this.#waiting, rest)
    // In one message the two would contradict each other.
    if (rest.READY !== undefined) delete this.#waiting.RELOADING
    if (rest.READY !== undefined) this.#isReady = true
    if (rest.RELOADING !== undefined || rest.STOPPING !== undefined) this.#isReady = false
    // systemd before 246 may lose the message of a child that has ended: a start would hang for ever
    if (rest.WATCHDOG !== undefined && this.#isReady) this.#waiting.READY = '1'
    if (STATUS !== undefined && STATUS !== this.#status) {
      this.#status = STATUS
      this.#waiting.STATUS = STATUS
    }
    this.#next()
  }

  /** Resolves when everything is sent. */
  async flush(): Promise<void> {
    this.#statusAt = -Infinity
    this.#next()
    while (this.#busy) await this.#sending
  }

  #next(): void {
    clearTimeout(this.#timer)
    const words = Object.entries(this.#waiting)
    if (this.#busy || words.length === 0) return
    const pause = this.#statusAt + STATUS_GAP_MS - performance.now()
    if (words.length === 1 && this.#waiting.STATUS !== undefined && pause > 0) {
      this.#timer = setTimeout(() => {
        this.#next()
      }, pause)
      return
    }
    if (this.#waiting.STATUS !== undefined) this.#statusAt = performance.now()
    this.#waiting = {}
    this.#busy = true
    this.#sending = send(words.map(([name, value]) => `${name}=${String(value)}`))
      .catch(this.#failed)
      .finally(() => {
        this.#busy = false
        this.#next()
      })
  }
}

/** From systemd 246 on it returns once systemd has read the message: a child that exits earlier may be gone before systemd can identify it. */
async function send(words: string[]): Promise<void> {
  await x('systemd-notify', words, { timeout: 10_000, throwOnError: true })
}
