import type { Problem } from '../core/errors.ts'
import { undiagnosed } from '../doctor.ts'
import { nothingRemoved } from '../gc.ts'
import { unknownHistory } from '../history.ts'
import { unstarted } from '../outcome.ts'
import { nothingSeen } from '../status.ts'

/** A command line that is none. */
export class UsageError extends Error {}

const refusal = (problem: Problem): object => unstarted('refused', null, [problem])

/** What a command says in JSON where it could not begin. */
const DOCUMENTS = new Map<string, (problem: Problem) => object>([
  ...['upgrade', 'plan', 'prefetch', 'rollback', 'resume', 'daemon'].map((name) => [name, refusal] as const),
  ['status', (problem) => ({ ...nothingSeen, problems: [problem] })],
  ['doctor', (problem) => undiagnosed([problem])],
  ['history', (problem) => unknownHistory([problem])],
  ['gc', (problem) => nothingRemoved([problem])],
])

/** Null where no JSON is asked for, or no command is named that has some. */
export function usageDocument(argv: string[], { message }: UsageError): object | null {
  const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  const command = words.find((word) => DOCUMENTS.has(word)) ?? ''
  if (!words.some((word) => /^--json(=true)?$/.test(word))) return null
  return (
    DOCUMENTS.get(command)?.({ code: 'bad-usage', severity: 'error', message, fix: 'agent --help' }) ?? null
  )
}
