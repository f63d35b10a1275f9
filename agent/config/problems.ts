import type { z } from 'zod'
import { AgentError, ExitCode, type Problem } from '../core/errors.ts'
import { nearest } from './nearest.ts'
import { knownKeys } from './schema.ts'

/** Enough to fix at once; a binary file has thousands. */
const MAX_SHOWN = 20
const FIX = 'correct the config; docs/configuration.md lists every key'

/** Everything that is wrong with the config or the flags, found at once: exit code 2. */
export class ConfigError extends AgentError {
  readonly problems: Problem[]

  constructor(found: string[], fix = FIX) {
    const more = found.length - MAX_SHOWN
    const messages = more > 0 ? [...found.slice(0, MAX_SHOWN), `and ${more} more`] : found
    super('bad-config', messages.join('\n'), { fix, exitCode: ExitCode.usage })
    this.problems = messages.map((message) => ({ code: 'bad-config', severity: 'error', message, fix }))
  }

  override asProblems(): Problem[] {
    return this.problems
  }
}

/** One thing that is wrong, and where in the document. */
export interface Finding {
  /** Keys and list indices from the top. */
  path: readonly PropertyKey[]
  message: string
  /** Set for an unknown key: the key itself is wrong, not its value. */
  key?: string
}

/** As text, with what was found instead; `root` is the value that was checked. */
export function findingsOf(issue: z.core.$ZodIssue, root: unknown): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: unknownKey(key, issue.path),
      key,
    }))
  }
  if (issue.code === 'invalid_key') {
    const key = String(issue.path.at(-1))
    const message = issue.issues.map((inner) => messageOf(inner, describe(key))).join('; ')
    return [{ path: issue.path, message, key }]
  }
  return [{ path: issue.path, message: messageOf(issue, describe(valueAt(root, issue.path))) }]
}

/** `node.image`, `bird.sockets[1]` */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${shorten(String(key))}`))
    .join('')
}

function messageOf(issue: z.core.$ZodIssue, found: string): string {
  if (issue.code === 'invalid_type') {
    const isBare = issue.expected === 'string' && /^the (number|boolean)/.test(found)
    return `expected ${typeNames[issue.expected] ?? issue.expected}, found ${found}${isBare ? ': put it in quotes' : ''}`
  }
  if (issue.code === 'invalid_value')
    return `expected ${issue.values.map(String).join(' or ')}, found ${found}`
  if (issue.code === 'too_small') {
    return issue.origin === 'array'
      ? 'must not be empty'
      : `must be at least ${issue.minimum}, found ${found}`
  }
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}, found ${found}`
  // of the merge patch
  if (issue.code === 'invalid_union') return `expected a JSON value, found ${found}`
  // the schema's own words; a custom check names the value itself
  return issue.code === 'custom' ? issue.message : `${issue.message}, found ${found}`
}

const typeNames: Record<string, string> = {
  string: 'text',
  number: 'a whole number',
  int: 'a whole number',
  object: 'a mapping',
  array: 'a list',
}

function unknownKey(key: string, parent: readonly PropertyKey[]): string {
  const known = knownKeys(parent)
  const meant = nearest(key, known)
  const hint = meant === undefined ? 'no key is allowed here' : `did you mean "${meant}"?`
  return `unknown key; ${hint} (known here: ${known.join(', ')})`
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return `the text ${JSON.stringify(shorten(value))}`
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${String(value)}`
  return typeof value === 'object' ? 'a mapping' : `a ${typeof value}`
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    root,
  )
}
