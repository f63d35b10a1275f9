import { AgentError } from '../../core/errors.ts'

type Kind = 'string' | 'number' | 'boolean' | 'object' | 'array'

/** What of an answer the agent reads; behind `?` what may be null or absent. */
export interface Shape {
  [field: string]: Kind | `${Kind}?` | Shape
}

/**
 * The answer, if it has what is read of it. A proxy in between, or another server at the socket, answers 200 as well.
 * `what` completes "cannot ...".
 * @throws AgentError `docker-answer-invalid`
 */
export function checkAnswer(what: string, answer: unknown, shape: Shape): object {
  if (kindOf(answer) !== 'object') throw answerInvalid(what, 'it is not the JSON object that Docker returns')
  const wrong = misfit(answer as Record<string, unknown>, shape, '')
  if (wrong !== undefined) throw answerInvalid(what, wrong)
  return answer as object
}

export function answerInvalid(what: string, reason: string, cause?: unknown): AgentError {
  return new AgentError('docker-answer-invalid', `cannot ${what}: cannot read Docker's answer: ${reason}`, {
    fix: 'check what listens on the socket: docker info; journalctl -u docker',
    cause,
  })
}

function misfit(answer: Record<string, unknown>, shape: Shape, at: string): string | undefined {
  for (const [field, expected] of Object.entries(shape)) {
    const [value, path] = [answer[field], `${at}${field}`]
    if (typeof expected === 'object') {
      if (kindOf(value) !== 'object') return `${path} is not an object`
      const wrong = misfit(value as Record<string, unknown>, expected, `${path}.`)
      if (wrong !== undefined) return wrong
    } else if (!fits(value, expected)) return `${path} is not a ${expected.replace('?', '')}`
  }
  return undefined
}

function fits(value: unknown, expected: string): boolean {
  if (expected.endsWith('?')) return value == null || kindOf(value) === expected.slice(0, -1)
  return kindOf(value) === expected
}

function kindOf(value: unknown): string {
  if (value === null || Buffer.isBuffer(value)) return 'none'
  return Array.isArray(value) ? 'array' : typeof value
}
