import { stat } from 'node:fs/promises'

/**
 * The same question, answered anew only when the file is another one: a service is asked for its status again and again,
 * and plugins are large. Whatever is done to a file changes its ctime, which nobody can set.
 */
export function remembered<T>(ask: (path: string) => Promise<T>): (path: string) => Promise<T> {
  const answers = new Map<string, { identity: string; answer: T }>()
  return async (path) => {
    const identity = await identityOf(path)
    const known = answers.get(path)
    if (identity !== null && known?.identity === identity) return known.answer
    const answer = await ask(path)
    if (identity === null) answers.delete(path)
    else answers.set(path, { identity, answer })
    return answer
  }
}

async function identityOf(path: string): Promise<string | null> {
  try {
    const { dev, ino, size, ctimeNs } = await stat(path, { bigint: true })
    return [dev, ino, size, ctimeNs].join(' ')
  } catch {
    return null
  }
}
