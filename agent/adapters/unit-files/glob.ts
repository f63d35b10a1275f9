import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The paths that an absolute pattern of glob(7) stands for, sorted; a path without `*`, `?` or `[` is itself. */
export async function glob(pattern: string): Promise<string[]> {
  if (!isPattern(pattern)) return [pattern]
  let paths = ['/']
  for (const part of pattern.split('/').filter(Boolean)) {
    const found = await Promise.all(paths.map((path) => inDirectory(path, part)))
    paths = found.flat()
  }
  return paths
}

async function inDirectory(directory: string, part: string): Promise<string[]> {
  if (!isPattern(part)) {
    const path = join(directory, part)
    return (await stat(path).catch(() => null)) === null ? [] : [path]
  }
  const names = await readdir(directory).catch(() => [])
  const expression = expressionOf(part)
  return names
    .filter((name) => expression.test(name) && (part.startsWith('.') || !name.startsWith('.')))
    .sort()
    .map((name) => join(directory, name))
}

function isPattern(text: string): boolean {
  return /[*?[]/.test(text)
}

function expressionOf(part: string): RegExp {
  const source = part.replaceAll(
    /\[(!?)([^\]]+)\]|[*?]|[.+^${}()|[\]\\]/g,
    (found, not?: string, set?: string) => {
      if (set !== undefined) return `[${not === '!' ? '^' : ''}${set.replaceAll('\\', '\\\\')}]`
      if (found === '*') return '.*'
      return found === '?' ? '.' : `\\${found}`
    },
  )
  return new RegExp(`^${source}$`)
}
