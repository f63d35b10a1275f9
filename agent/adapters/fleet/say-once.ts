import type { AgentError } from '../../core/errors.ts'

/** The same reason, seen again and again, is told once. */
export function sayOnce(say: (why: AgentError) => void): (why: AgentError) => void {
  let said = ''
  return (why) => {
    if (why.message !== said) say(why)
    said = why.message
  }
}
