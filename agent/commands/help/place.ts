import { type Help, type HelpOf, type Option, optionsOf } from './help.ts'

/** Where a command line has come to. */
export interface Place {
  help: Help
  /** How many arguments the command has got. */
  given: number
  /** The options that it has got, with their values. */
  options: Map<string, string>
  /** The option whose value comes next. */
  asks: Option | null
  /** The first word that is no command where one is expected, and the commands that are known there. */
  stray: { word: string; known: string[] } | null
}

/** yargs itself stops at the first mistake; this goes on to the end. */
export async function placeOf(words: string[], helpOf: HelpOf): Promise<Place> {
  const path: string[] = []
  const place: Place = { help: await helpOf(path), given: 0, options: new Map(), asks: null, stray: null }
  for (const word of words) {
    const known = commandNames(place.help)
    if (place.asks !== null) {
      place.options.set(place.asks.name, word)
      place.asks = null
    } else if (word.startsWith('-')) {
      place.options.set(word, '')
      place.asks = optionsOf(place.help).find(({ name, value }) => name === word && value !== null) ?? null
    } else if (known.includes(word)) {
      path.push(word)
      place.help = await helpOf(path)
    } else if (known.length > 0) place.stray ??= { word, known }
    else place.given++
  }
  return place
}

/** `release HOST` is the command `release`. */
export function commandNames({ commands }: Help): string[] {
  return commands.map(({ name }) => name.split(' ')[0] ?? '')
}
