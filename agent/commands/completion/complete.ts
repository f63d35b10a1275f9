import { allowableRules } from '../../core/preflight.ts'
import { tableReleases } from '../../core/release/releases.ts'
import { PARTS } from '../../core/wanted.ts'
import type { PastRun } from '../../stories/history/past-runs.ts'
import { type Entry, type HelpOf, optionsOf } from '../help/help.ts'
import { commandNames, type Place, placeOf } from '../help/place.ts'
import { DEFAULT_STATE_DIR, LOG_LEVELS } from '../options.ts'
import { DIRECTORIES, FILES, SCRIPTS } from './scripts.ts'

/** What may stand in place of the last word: a line for each, with a tab before what it is. */
export async function complete(words: string[], { helpOf, pastRuns }: Sources): Promise<string> {
  const [current = '', ...before] = separated(words).toReversed()
  const place = await placeOf(before.toReversed(), helpOf)
  const entries = await candidates(place, current, pastRuns)
  return entries.map(({ name, about }) => (about === '' ? name : `${name}\t${about}`)).join('\n')
}

interface Sources {
  helpOf: HelpOf
  pastRuns: (stateDir: string) => Promise<PastRun[]>
}

/** `--only=node` as two words, as bash has it with the sign between them. */
function separated(words: string[]): string[] {
  const split = words.flatMap((word) => /^(--[a-z-]+)=(.*)$/s.exec(word)?.slice(1) ?? [word])
  return split.flatMap((word, i) => {
    if (word !== '=') return [word]
    return i === split.length - 1 ? [''] : []
  })
}

async function candidates(
  { help, given, options, asks, stray }: Place,
  current: string,
  pastRuns: Sources['pastRuns'],
): Promise<Entry[]> {
  if (stray !== null) return []
  const kind = asks?.value ?? (current.startsWith('-') ? undefined : help.positionals[given]?.name)
  if (kind === 'RUN') {
    const runs = await pastRuns(options.get('--state-dir') ?? DEFAULT_STATE_DIR)
    return help.usage.includes(' rollback ') ? runs.filter(({ isCommitted }) => isCommitted) : runs
  }
  if (kind !== undefined) return valuesOf(kind, current).map((name) => ({ name, about: '' }))
  if (help.commands.length > 0 && !current.startsWith('-'))
    return help.commands.map(({ about }, i) => ({ name: commandNames(help)[i] ?? '', about }))
  return optionsOf(help).filter(({ name }) => name === '--allow' || !options.has(name))
}

/** By what the help calls the value. */
function valuesOf(kind: string, current: string): readonly string[] {
  switch (kind) {
    case 'FILE':
    case 'PATH':
    case 'SOURCE':
      return [FILES]
    case 'DIR':
      return [DIRECTORIES]
    case 'PARTS':
      return withOneMore(current)
    case 'RELEASE':
      return tableReleases()
    case 'RULE':
      return allowableRules()
    case 'LEVEL':
      return LOG_LEVELS
    case 'SHELL':
      return Object.keys(SCRIPTS)
    default:
      return []
  }
}

/** What stands before the last comma, with each part that is not among it. */
function withOneMore(current: string): string[] {
  const chosen = current.split(',').slice(0, -1)
  return PARTS.filter((part) => !chosen.includes(part)).map((part) => [...chosen, part].join(','))
}
