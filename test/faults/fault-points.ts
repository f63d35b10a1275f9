import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import type { Outside } from '../../agent/composition.ts'
import type { AppendFile } from '../../agent/journal/journal.ts'
import type { Bird } from '../../agent/ports/bird.ts'
import type { CniBinaries } from '../../agent/ports/cni-binaries.ts'
import type { Docker } from '../../agent/ports/docker.ts'

/**
 * Fault points of test builds, before and after every journal record and every outside effect.
 *
 * AGENT_FAULT=POINT=kill       the agent dies there (SIGKILL); POINT is NAME#N, its N-th time
 * AGENT_FAULT=POINT=kill+MS    it dies so many ms later: in the middle of the call that begins there
 * AGENT_FAULT=POINT=/PROGRAM   the program runs there to its end, and the agent goes on: somebody else acts meanwhile
 * AGENT_FAULT_TRACE=FILE       writes every point that is passed, a line each
 *
 * Names: `before docker.killContainer`, `after journal.append`, ...
 */
const EFFECTS: (keyof Docker)[] = [
  'pullImage',
  'createContainer',
  'connectNetwork',
  'startContainer',
  'killContainer',
  'stopContainer',
  'renameContainer',
  'setRestartPolicy',
  'removeContainer',
  'removeVolume',
  'removeImage',
]
const CNI_EFFECTS: (keyof CniBinaries)[] = ['stage', 'unstage', 'keep', 'putInPlace', 'putBack', 'takeAway']
const BIRD_EFFECTS: (keyof Bird)[] = ['disable', 'enable']

export function withFaultPoints(outside: Outside): Outside {
  const { docker, bird, routes, dialGuard, cni, configs, kubelet, kubernetes, fleet } = outside
  const { manifests, systemd, unitFiles, journals } = outside
  const faults = new Faults(process.env['AGENT_FAULT'], process.env['AGENT_FAULT_TRACE'])
  return {
    docker: wrapped(docker, 'docker', EFFECTS, faults),
    bird: wrapped(bird, 'bird', BIRD_EFFECTS, faults),
    routes: wrapped(routes, 'routes', ['hold', 'release'], faults),
    dialGuard: wrapped(dialGuard, 'dialGuard', ['close', 'open'], faults),
    cni: wrapped(cni, 'cni', CNI_EFFECTS, faults),
    configs: wrapped(configs, 'configs', ['replace', 'restore', 'remove'], faults),
    kubelet: wrapped(kubelet, 'kubelet', ['restart'], faults),
    kubernetes: kubernetes && wrapped(kubernetes, 'kubernetes', ['patch', 'remove'], faults),
    fleet,
    manifests: wrapped(manifests, 'manifests', ['takeOut', 'put', 'remove', 'bringBack'], faults),
    systemd: wrapped(systemd, 'systemd', ['daemonReload', 'restart'], faults),
    unitFiles: wrapped(unitFiles, 'unitFiles', ['write', 'remove'], faults),
    journals: {
      ...journals,
      open: async (name, size) => watchedFile(await journals.open(name, size), faults),
      remove: (name) => faults.around('journal.remove', () => journals.remove(name)),
    },
  }
}

class Faults {
  readonly #point: string | undefined
  readonly #action: string
  readonly #trace: string | undefined
  readonly #passed = new Map<string, number>()

  constructor(fault: string | undefined, trace: string | undefined) {
    const at = fault?.lastIndexOf('=') ?? -1
    this.#point = fault?.slice(0, at)
    this.#action = fault?.slice(at + 1) ?? ''
    this.#trace = trace
  }

  async around<T>(effect: string, make: () => Promise<T>): Promise<T> {
    this.#pass(`before ${effect}`)
    const result = await make()
    this.#pass(`after ${effect}`)
    return result
  }

  #pass(name: string): void {
    const count = (this.#passed.get(name) ?? 0) + 1
    this.#passed.set(name, count)
    const point = `${name}#${count}`
    if (this.#trace) appendFileSync(this.#trace, `${point}\n`)
    if (point !== this.#point) return
    if (this.#action.startsWith('/')) execFileSync(this.#action, { stdio: 'ignore' })
    else if (this.#action === 'kill') die()
    else setTimeout(die, Number(this.#action.replace('kill+', '')))
  }
}

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

function wrapped<T extends object>(port: T, name: string, effects: (keyof T)[], faults: Faults): T {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function' || !effects.includes(key as keyof T)) return value
      return (...args: unknown[]) =>
        faults.around(`${name}.${String(key)}`, () => Reflect.apply(value, target, args) as Promise<unknown>)
    },
  })
}

function watchedFile(file: AppendFile, faults: Faults): AppendFile {
  return {
    append: (text) => faults.around('journal.append', () => file.append(text)),
    close: () => file.close(),
  }
}
