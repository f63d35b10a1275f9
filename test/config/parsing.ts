import { parseConfig } from '../../agent/config/parse.ts'
import { ConfigError } from '../../agent/config/problems.ts'

export function parse(text: string | Uint8Array) {
  return parseConfig(typeof text === 'string' ? Buffer.from(text) : text, 'agent.yaml')
}

/** What stands against a config, in words. */
export function problemsOf(text: string | Uint8Array): string[] {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof ConfigError) return error.asProblems().map(({ message }) => message)
    throw error
  }
  throw new Error(`this is a good config:\n${text.toString()}`)
}
