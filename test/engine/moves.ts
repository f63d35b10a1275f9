import type { CniBinaries } from '../../agent/ports/cni-binaries.ts'
import type { Docker } from '../../agent/ports/docker.ts'

/** The calls that change the host: each is a moment at which the agent may die. */
export const CHANGES: (keyof Docker)[] = [
  'createContainer',
  'connectNetwork',
  'startContainer',
  'killContainer',
  'stopContainer',
  'renameContainer',
  'setRestartPolicy',
  'removeContainer',
  'removeVolume',
  'pullImage',
  'removeImage',
]

export const CNI_CHANGES: (keyof CniBinaries)[] = [
  'stage',
  'unstage',
  'keep',
  'putInPlace',
  'putBack',
  'takeAway',
]

/**
 * Where to kill the agent: after its n-th move, a journal record or a change of the host, or right before it, or right
 * after it asked for it, which then goes on without it.
 */
export interface Death {
  at: number
  before: boolean
  asked?: boolean
}

export type Move = <T>(what: string, make: () => Promise<T>) => Promise<T>

/** The same port; each of the methods is a move. */
export function withMoves<T extends object>(port: T, methods: (keyof T & string)[], move: Move): T {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args)
      const method = methods.find((known) => known === name)
      return method === undefined
        ? call
        : (...args: unknown[]) => move(method, async () => await call(...args))
    },
  })
}
