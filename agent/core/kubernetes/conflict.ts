import { AgentError } from '../errors.ts'

/** A Node is written every few minutes; of a hundred hosts that ask for a Lease at once, one has it after each round. */
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
