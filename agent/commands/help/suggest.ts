import { nearMiss } from '../../config/nearest.ts'
import { beforeDashes } from '../before-dashes.ts'
import { type HelpOf, optionsOf } from './help.ts'
import { placeOf } from './place.ts'

/** The complaint of yargs, with the known command or option that was probably meant. */
export async function suggest(complaint: string, argv: string[], helpOf: HelpOf): Promise<string> {
  const words = beforeDashes(argv)
  const { help, stray } = await placeOf(words, helpOf)
  if (complaint.startsWith('Unknown command')) {
    if (stray !== null) return unknown('command', [stray.word], stray.known)
    // yargs calls an extra argument so, even after a valid command
    return complaint.replace(/^Unknown commands?/, 'Unexpected argument')
  }
  // before a command yargs knows no option, and takes the command for the value of one
  const hidCommand = complaint.startsWith('name ') && help.commands.length === 0
  if (!hidCommand && !complaint.startsWith('Unknown argument')) return complaint
  const known = optionsOf(help).flatMap(({ name, short }) => [name, ...(short === null ? [] : [short])])
  const strange = words
    .filter((word) => word.startsWith('-'))
    .map((word) => word.replace(/=.*$/, ''))
    .filter((name) => !known.includes(name))
  if (strange.length > 0) return unknown('option', strange, known)
  return hidCommand ? 'name the command before its options' : complaint
}

function unknown(what: string, names: string[], known: string[]): string {
  const bare = new Map(known.map((name) => [name.replace(/^-+/, ''), name]))
  const [meant] = names.flatMap((name) => nearMiss(name.replace(/^-+/, ''), [...bare.keys()]) ?? [])
  const hint = meant === undefined ? '' : `; did you mean ${bare.get(meant) ?? meant}?`
  return `Unknown ${what}${names.length > 1 ? 's' : ''}: ${names.join(', ')}${hint}`
}
