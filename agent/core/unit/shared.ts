import type { ExecLine } from './commands.ts'
import type { Argument } from './expand.ts'
import { type Traced, textOf } from './traced.ts'

/** They show a variable, and do nothing with it. */
const SHOWS = /(^|\/)(echo|printf|logger|systemd-cat|true|:)$/
/** Environment and labels: a container that is told its own version. */
const TELLS = /^(-e|--env|-l|--label)$/
const TELLS_AT_ONCE = /^(-e.|--env=|-l.|--label=)/

/**
 * Another word than the image that holds a character of the same variable, such as the image of the CNI plugins or the
 * address that they are fetched from: a change of the variable would change it as well. Null where there is none.
 */
export function sharedWith(image: Argument, lines: ExecLine[]): string | null {
  const name = textOf(image.text)
  for (const command of lines.flatMap(({ commands }) => commands)) {
    if (SHOWS.test(textOf(command[0]?.text ?? []))) continue
    for (const [i, { text }] of command.entries()) {
      const word = textOf(text)
      if (word === name || !overlaps(text, image.text)) continue
      if (!TELLS.test(textOf(command[i - 1]?.text ?? [])) && !TELLS_AT_ONCE.test(word)) return word
    }
  }
  return null
}

function overlaps(text: Traced, image: Traced): boolean {
  const keys = new Set(image.flatMap(({ file, at }) => (file === null ? [] : [`${at} ${file}`])))
  return text.some(({ file, at }) => file !== null && keys.has(`${at} ${file}`))
}
