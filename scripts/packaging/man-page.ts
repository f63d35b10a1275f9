import { rows, section } from '../../test/docs/markdown.ts'
import { plainText } from './text.ts'

interface Help {
  usage: string
  description: string
  /** Options and positionals: how each is written, and what it is for. */
  items: [string, string][]
}

/** agent(1): from what `--help` says, with exit codes and environment of docs/commands.md. */
export function manPage(version: string, commandsDoc: string, help: (...argv: string[]) => string): string {
  const overview = help()
  const pages = commandsIn(overview).flatMap(([name = '']) => {
    const own = help(name)
    return [own, ...commandsIn(own).map((words) => help(...words))].map(parseHelp)
  })
  const common = commonItems(pages)
  return [
    `.TH AGENT 1 "" "calico-agent ${roff(version)}" "Calico host agent"`,
    '.SH NAME',
    'agent, calico\\-agent \\- upgrade Calico on this host inside the graceful\\-restart window of BIRD',
    '.SH SYNOPSIS',
    '.B agent',
    '.I COMMAND',
    '.RI [ OPTIONS ]',
    '.SH DESCRIPTION',
    ...paragraph(parseHelp(overview).description),
    'Run it as root. Only one run can be in progress on a host.',
    '.SH COMMANDS',
    ...pages.flatMap((page) => commandSection(page, common)),
    '.SH "COMMON OPTIONS"',
    ...common.flatMap(([term, text]) => item(term, text)),
    '.SH "EXIT STATUS"',
    ...table(section(commandsDoc, '## Exit codes')),
    '.SH ENVIRONMENT',
    ...table(section(commandsDoc, '### Environment')),
    '.SH FILES',
    ...item('/etc/calico-agent/agent.yaml', 'the config file; it lists every key with its default'),
    ...item('/var/lib/calico-agent', 'the journals of runs, and the lock'),
    ...item('/usr/share/doc/calico-agent', 'changes, and the licences of the bundled packages'),
    '',
  ].join('\n')
}

/** The commands that a help lists, each by its words: `fleet status`. */
const commandsIn = (text: string): string[][] =>
  [...text.matchAll(/^ {2}agent ([a-z]+(?: [a-z]+)*)/gm)].map(([, words = '']) => words.split(' '))

/** The options of every command that reads a config. */
function commonItems(pages: Help[]): Help['items'] {
  const [first, ...others] = pages.filter(({ items }) => items.some(([term]) => term.startsWith('--config')))
  return (first?.items ?? []).filter(([term]) => others.every((page) => has(page.items, term)))
}

const has = (items: Help['items'], wanted: string): boolean => items.some(([term]) => term === wanted)

function commandSection({ usage, description, items }: Help, common: Help['items']): string[] {
  const own = items.filter(([term]) => !has(common, term))
  return [
    `.SS "${roff(usage)}"`,
    ...paragraph(description),
    ...own.flatMap(([term, text]) => item(term, text)),
  ]
}

/** What yargs prints: usage, description, and blocks of "  --option  what it is for  [type]", wrapped. */
function parseHelp(text: string): Help {
  const [usage = '', description = '', ...blocks] = text.trim().split(/\n\n+/)
  const items: [string, string][] = []
  for (const line of blocks.filter((block) => /^(Options|Positionals):/.test(block)).flatMap(blockLines)) {
    const [, term, about] = /^ {2,6}(\S+(?:, \S+)?) {2,}(\S.*)$/.exec(line) ?? []
    const last = items.at(-1)
    if (term !== undefined && about !== undefined) items.push([term, about])
    else if (last) last[1] += ` ${line.trim()}`
  }
  return {
    usage,
    description,
    items: items.map(([term, about]) => [withValue(term, about), withoutType(about)]),
  }
}

const blockLines = (block: string): string[] => block.split('\n').slice(1)

const withValue = (term: string, about: string): string =>
  term.startsWith('-') && !about.includes('[boolean]') ? `${term} VALUE` : term

const withoutType = (about: string): string =>
  about.replaceAll(/ *\[(boolean|string|number|array)\]/g, '').replaceAll(/\s+/g, ' ')

/** Rows of a code, its meaning and any other cells. */
function table(text: string): string[] {
  return rows(text).flatMap(([term = '', ...cells]) => item(plainText(term), cells.map(plainText).join('; ')))
}

const item = (term: string, text: string): string[] => ['.TP', `.B ${roff(term)}`, ...paragraph(text)]

const paragraph = (text: string): string[] => [roff(text.replaceAll(/\s+/g, ' ').trim())]

/** Text that groff prints unchanged: no macro at its start, no escape, no ligature of a hyphen. */
function roff(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll(/[^\x20-\x7e]/gu, (character) => `\\[u${hex(character)}]`)
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped
}

const hex = (character: string): string =>
  (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
