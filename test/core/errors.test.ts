import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'

describe('what an error says', () => {
  it('is of a length that one argument of a program holds, and tells what was cut', () => {
    const { message, fix } = new AgentError('x', `cannot continue: ${'y'.repeat(9_000_000)}`, {
      fix: 'z'.repeat(9_000),
    })
    expect(message.length).toBeLessThan(9_000)
    expect(message).toMatch(/^cannot continue: y+ \.\.\. \(\d+ more characters\)$/)
    expect(fix).toMatch(/^z{8000} \.\.\. \(1000 more characters\)$/)
  })

  it('shows no part of a secret that stands where it is cut', () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${'c2VjcmV0\n'.repeat(400)}-----END PRIVATE KEY-----`
    const { message } = new AgentError('x', `${'y'.repeat(7_000)} ${key}`, { fix: 'none' })
    expect(message).not.toContain('c2VjcmV0')
  })
})
