import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { AgentError } from '../../core/errors.ts'
import { containerOf } from '../../core/runtime/cgroup.ts'
import { readRegularFile } from '../read-file.ts'

/** Of a process that ends meanwhile nothing is left to read. */
const GONE = ['ENOENT', 'ESRCH']
/** What a process is asked for, and how large that may be: a command line or an environment ends where execve(2) does. */
const MAX_BYTES = {
  ...{ comm: 64, stat: 4096, cgroup: 64 * 1024 },
  ...{ mountinfo: 4 << 20, cmdline: 4 << 20, environ: 4 << 20 },
}

export interface Life {
  /** In clock ticks since the boot: with the pid it names one process. */
  startedAt: number
  isAlive: boolean
}

/** The kernel's view of the host's processes, at /proc. `init` is the host's first process there. */
export class Proc {
  readonly #root: string
  readonly #init: number
  #isHosts: boolean | undefined

  constructor(root: string, init: number) {
    this.#root = root
    this.#init = init
  }

  path(pid: number | 'self', ...parts: string[]): string {
    return join(this.#root, String(pid), ...parts)
  }

  /** Pids by the id of their container. @throws AgentError `host-pid-missing` */
  async byContainer(): Promise<Map<string, number[]>> {
    await this.#refuseOwn()
    const pids = (await readdir(this.#root)).filter((name) => /^\d+$/.test(name)).map(Number)
    const found = new Map<string, number[]>()
    const texts = await Promise.all(pids.map((pid) => this.text(pid, 'cgroup')))
    for (const [i, pid] of pids.entries()) {
      const id = containerOf(texts[i] ?? '')?.id
      if (id !== undefined) found.set(id, [...(found.get(id) ?? []), pid])
    }
    return found
  }

  /** A zombie is dead: what it was the first process of has ended with it. Undefined where there is none. */
  async life(pid: number): Promise<Life | undefined> {
    const text = await this.text(pid, 'stat')
    // its name, in parentheses, may have any character
    const [state, ...fields] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? []
    if (state === undefined) return undefined
    return { startedAt: Number(fields[18]), isAlive: state !== 'Z' && state !== 'X' }
  }

  /** Null-terminated texts, such as a command line or an environment. */
  async texts(pid: number, name: 'cmdline' | 'environ'): Promise<string[]> {
    return ((await this.text(pid, name)) ?? '').split('\0').filter((one) => one !== '')
  }

  /** Undefined where the process is gone. @throws AgentError `process-unreadable` */
  async text(pid: number | 'self', name: keyof typeof MAX_BYTES): Promise<string | undefined> {
    try {
      return (await readRegularFile(this.path(pid, name), { maxBytes: MAX_BYTES[name] }))?.toString()
    } catch (error) {
      refuseUnlessGone(error, pid)
      return undefined
    }
  }

  /** Its network is the host's. */
  async isOnHostNetwork(pid: number): Promise<boolean> {
    const own = await this.#link(pid, 'ns/net')
    return own !== undefined && own === (await this.#link(this.#init, 'ns/net'))
  }

  async #link(pid: number, name: string): Promise<string | undefined> {
    try {
      return await readlink(this.path(pid, name))
    } catch (error) {
      refuseUnlessGone(error, pid)
      return undefined
    }
  }

  /** In a PID namespace of its own, where the agent is the first process, every container would look as if it had ended. */
  async #refuseOwn(): Promise<void> {
    if (this.#isHosts === undefined) {
      const [first, own] = [await this.text(this.#init, 'comm'), await this.text('self', 'comm')]
      this.#isHosts = first !== own
    }
    if (this.#isHosts) return
    throw new AgentError(
      'host-pid-missing',
      'cannot see the containers of this host: the agent runs in a PID namespace of its own',
      { fix: "set hostPID: true in the agent's pod, as scripts/kubernetes/4-daemonset.yaml has it" },
    )
  }
}

/** A process that is gone has nothing to be read. @throws AgentError `process-unreadable` */
export function refuseUnlessGone(error: unknown, pid: number | 'self'): void {
  const { cause, message } = error as Error
  const { code = '' } = (cause ?? error) as NodeJS.ErrnoException
  if (GONE.includes(code)) return
  if (code !== 'EACCES' && code !== 'EPERM') throw error
  throw new AgentError('process-unreadable', `cannot look into process ${pid} of a container: ${message}`, {
    fix: "give the agent's container the capability SYS_PTRACE and no AppArmor profile, as scripts/kubernetes/4-daemonset.yaml has it",
  })
}
