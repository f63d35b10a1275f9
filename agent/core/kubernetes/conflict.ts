import { AgentError } from '../errors.ts'

/** A Node is written every few minutes, a DaemonSet by its controller with each pod. */
const MAX_CONFLICTS = 10

/** Reads and decides anew where somebody else has changed the object between `work`'s read and its write. */
export async function unlessConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let conflicts = 0; ; conflicts++) {
    try {
      return await work()
    } catch (error) {
      const isConflict = error instanceof AgentError && error.code === 'kubernetes-conflict'
      if (!isConflict || conflicts >= MAX_CONFLICTS) throw error
    }
  }
}
