import type { ExecLine } from './commands.ts'
import type { Argument } from './expand.ts'
import type { UnitText } from './lines.ts'
import { type Place, type Traced, textOf } from './traced.ts'

/** They only show a variable. */
const SHOWS = /(^|\/)(echo|printf|logger|systemd-cat|true|:)$/
/** Environment and labels: they tell a container its own version. */
const TELLS = /^(-e|--env|-l|--label)$/
const TELLS_AT_ONCE = /^(-e.|--env=|-l.|--label=)/

/**
 * Another word than the image that contains a character of the same variable, such as the image of the CNI plugins or the
 * address that they are fetched from: a change of the variable would change it as well. Null if there is none.
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

/** Another unit that reads one of its environment files. */
export interface SharingUnit {
  unit: string
  files: string[]
  /** Its command lines, variables not expanded. */
  commands: string[]
}

/** The variable whose value contains the place, and another unit that uses it; null if none does. */
export function sharedWithUnit(
  place: Place,
  environmentFiles: UnitText[],
  sharers: SharingUnit[],
): { variable: string; unit: string; word: string } | null {
  const file = environmentFiles.find(({ path }) => path === place.file)
  const variable = file && /([A-Za-z_]\w*)\s*=[^\n]*$/.exec(file.text.slice(0, place.start))?.[1]
  if (variable === undefined) return null
  for (const { unit, files, commands } of sharers) {
    if (!files.includes(place.file)) continue
    const word = commands.flatMap((line) => usesOf(variable, line))[0]
    if (word !== undefined) return { variable, unit, word }
  }
  return null
}

function usesOf(variable: string, line: string): string[] {
  const words = line.split(/[\s"';]+/)
  const use = new RegExp(`\\$(${variable}(?!\\w)|\\{${variable}\\})`)
  return words.filter(
    (word, i) => use.test(word) && !TELLS.test(words[i - 1] ?? '') && !TELLS_AT_ONCE.test(word),
  )
}

function overlaps(text: Traced, image: Traced): boolean {
  const keys = new Set(image.flatMap(({ file, at }) => (file === null ? [] : [`${at} ${file}`])))
  return text.some(({ file, at }) => file !== null && keys.has(`${at} ${file}`))
}
