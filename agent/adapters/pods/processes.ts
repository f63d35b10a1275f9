import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerProcess } from '../../core/docker/felix.ts'
import { AgentError } from '../../core/errors.ts'
import type { Proc } from './proc.ts'

/** A process that hangs in the kernel does not die of a KILL at once. */
const KILL_LIMIT_MS = 30_000
const KILL_POLL_MS = 5

interface Known {
  pid: number
  startedAt: number
}

/** The processes of containers, by their cgroups. Who has ended is never started again under the same id. */
export class ContainerProcesses {
  readonly #proc: Proc
  readonly #first = new Map<string, Known>()
  readonly #ended = new Set<string>()

  constructor(proc: Proc) {
    this.#proc = proc
  }

  /** The first process of a container; null where it has ended. */
  async first(id: string): Promise<number | null> {
    if (this.#ended.has(id)) return null
    const known = this.#first.get(id)
    if (known && (await this.#isSame(known))) return known.pid
    const [first] = await this.#alive(id)
    if (first === undefined) {
      this.#ended.add(id)
      return null
    }
    this.#first.set(id, first)
    return first.pid
  }

  async list(id: string): Promise<ContainerProcess[]> {
    const found = (await this.#alive(id)).map(async ({ pid }) => {
      const words = await this.#proc.texts(pid, 'cmdline')
      return { pid, args: words.join(' ') }
    })
    return (await Promise.all(found)).filter(({ args }) => args !== '')
  }

  /** KILL to all of them, the first one first: the kernel ends what else is in its PID namespace. Ends once none is left. */
  async kill(id: string): Promise<void> {
    const known = this.#first.get(id)
    if (known && !this.#ended.has(id) && (await this.#isSame(known))) killProcess(known.pid, id)
    const end = performance.now() + KILL_LIMIT_MS
    for (;;) {
      const left = await this.#alive(id)
      if (left.length === 0) break
      for (const { pid } of left) killProcess(pid, id)
      if (performance.now() > end) throw notKilled(id, `it still runs after ${KILL_LIMIT_MS / 1000} s`)
      await sleep(KILL_POLL_MS)
    }
    this.#ended.add(id)
  }

  async #isSame({ pid, startedAt }: Known): Promise<boolean> {
    const now = await this.#proc.life(pid)
    return now?.isAlive === true && now.startedAt === startedAt
  }

  /** The one that started first is the container's own. */
  async #alive(id: string): Promise<Known[]> {
    const pids = (await this.#proc.byContainer()).get(id) ?? []
    const lives = await Promise.all(
      pids.map(async (pid) => {
        const life = await this.#proc.life(pid)
        return life?.isAlive ? [{ pid, startedAt: life.startedAt }] : []
      }),
    )
    return lives.flat().sort((one, other) => one.startedAt - other.startedAt || one.pid - other.pid)
  }
}

function killProcess(pid: number, id: string): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH') throw notKilled(id, message)
  }
}

function notKilled(id: string, why: string): AgentError {
  return new AgentError('kill-failed', `cannot kill container ${id.slice(0, 12)}: ${why}`, {
    fix: "the agent's container must run as root, in the host's PID namespace and without an AppArmor profile",
  })
}
