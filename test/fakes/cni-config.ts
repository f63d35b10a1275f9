import { type ConfigFile, LIVE_ENDING } from '../../agent/core/cni/config.ts'
import type { KubeletFacts } from '../../agent/core/cni/kubelet.ts'
import type { KubeletDirectory } from '../../agent/core/cni/kubelet-directories.ts'
import { AgentError, type Problem } from '../../agent/core/errors.ts'
import type { CniConfigs } from '../../agent/ports/cni-config.ts'
import type { Kubelet } from '../../agent/ports/kubelet.ts'

interface FakeFile {
  text: string
  /** A file that is written anew has another one. */
  mtime: number
}

/** Configs and plugins in memory; two names may be one file. */
export class FakeCniConfigs implements CniConfigs {
  readonly files = new Map<string, FakeFile>()
  /** Paths of programs. */
  readonly plugins = new Set(['/opt/cni/bin/calico', '/opt/cni/bin/calico-ipam'])
  /** Of every directory. */
  problem: Problem | null = null
  readonly #ops: string[]
  #now = 1_000

  constructor(ops: string[] = []) {
    this.#ops = ops
  }

  put(path: string, text: string): void {
    this.files.set(path, { text, mtime: this.#now++ })
  }

  async list(directory: string): Promise<ConfigFile[]> {
    const inside = [...this.files].map(([path, { text }]) => ({
      name: path.slice(directory.length + 1),
      path,
      text,
    }))
    const live = inside.filter(({ name, path }) => path.startsWith(`${directory}/`) && LIVE_ENDING.test(name))
    return await Promise.resolve(live.map(({ name, text }) => ({ name, isLink: false, content: { text } })))
  }

  async read(path: string): Promise<string | null> {
    return await Promise.resolve(this.files.get(path)?.text ?? null)
  }

  async replace(path: string, text: string, wayBack: string): Promise<void> {
    const file = this.files.get(path)
    if (!file) throw new AgentError('cannot-write', `cannot write ${path}: it is not there`, { fix: 'none' })
    this.#ops.push(`configs replace ${path}`)
    this.files.set(wayBack, file)
    this.put(path, text)
    await Promise.resolve()
  }

  async restore(path: string, text: string, wayBack: string): Promise<void> {
    this.#ops.push(`configs restore ${path}`)
    const file = this.files.get(wayBack)
    if (file) this.files.set(path, file)
    else if (this.files.get(path)?.text !== text) this.put(path, text)
    this.files.delete(wayBack)
    await Promise.resolve()
  }

  async remove(wayBack: string): Promise<void> {
    this.#ops.push(`configs remove ${wayBack}`)
    this.files.delete(wayBack)
    await Promise.resolve()
  }

  async directoryProblem(): Promise<Problem | null> {
    return await Promise.resolve(this.problem)
  }

  async exists(path: string): Promise<boolean> {
    return await Promise.resolve(this.files.has(path))
  }

  async isProgram(path: string): Promise<boolean> {
    return await Promise.resolve(this.plugins.has(path))
  }
}

/** A kubelet that reads its CNI config when it starts, as those before 1.4. */
export class FakeKubelet implements Kubelet {
  facts: KubeletFacts = { unit: 'kubelet.service', state: 'running', version: 'Kubernetes v1.3.10' }
  directories: KubeletDirectory[] = []
  /** What it read at its last start. */
  hasRead: string | null = null
  /** It ends again so soon after a start. */
  isBroken = false
  readonly #read: () => string | null
  readonly #ops: string[]
  #starts = 1

  constructor(read: () => string | null, ops: string[] = []) {
    this.#read = read
    this.#ops = ops
  }

  start(): void {
    this.#starts++
    this.hasRead = this.#read()
  }

  async look(): Promise<KubeletFacts> {
    return await Promise.resolve(this.facts)
  }

  async startedAt(): Promise<number | null> {
    // systemd starts it again and again
    if (this.isBroken) this.#starts++
    return await Promise.resolve(this.facts.state === 'running' ? this.#starts : null)
  }

  async cniDirectories(): Promise<KubeletDirectory[]> {
    return await Promise.resolve(this.directories)
  }

  async manifests(): Promise<string | null> {
    return await Promise.resolve(null)
  }

  async restart(unit: string): Promise<void> {
    this.#ops.push(`kubelet restart ${unit}`)
    this.start()
    await Promise.resolve()
  }
}
