import { rows, section } from '../../test/docs/markdown.ts'
import { plainText } from './text.ts'

interface Help {
  usage: string
  description: string
  /** How each is written, and what it is for. */
  commands: Item[]
  options: Item[]
  commonOptions: Item[]
  /** Command lines, and what each does. */
  examples: Item[]
}

type Item = [term: string, text: string]

/** calico-agent(8): from what `--help` says, with exit codes and environment of docs/commands.md. */
export function manPage(version: string, commandsDoc: string, help: (...argv: string[]) => string): string {
  const overview = parseHelp(help())
  const pages = commandsIn(overview).flatMap((name) => {
    const own = parseHelp(help(name))
    return [own, ...commandsIn(own).map((below) => parseHelp(help(name, below)))]
  })
  const common = pages.find(({ commonOptions }) => has(commonOptions, '--config FILE'))?.commonOptions ?? []
  return [
    `.TH CALICO\\-AGENT 8 "" "calico\\-agent ${roff(version)}" "System Administration"`,
    '.SH NAME',
    'calico\\-agent, agent \\- upgrade Calico on this host inside the graceful\\-restart window of BIRD',
    '.SH SYNOPSIS',
    '.B calico\\-agent',
    '.I COMMAND',
    '.RI [ OPTIONS ]',
    '.SH DESCRIPTION',
    ...paragraph(overview.description),
    'Run it as root. Only one run can be in progress on a host. It is installed as agent as well, unless the host has another',
    'program of this name.',
    '.SH COMMANDS',
    ...pages.flatMap(commandSection),
    '.SH "COMMON OPTIONS"',
    ...common.flatMap(([term, text]) => item(term, text)),
    '.SH "EXIT STATUS"',
    ...table(section(commandsDoc, '## Exit codes')),
    '.SH ENVIRONMENT',
    ...table(section(commandsDoc, '### Environment')),
    '.SH FILES',
    ...files.flatMap(([path, text]) => item(path, text)),
    '.SH EXAMPLES',
    ...pages.flatMap(({ examples }) => examples).flatMap(([line, text]) => item(line, text)),
    '.SH "SEE ALSO"',
    '.BR bird (8),',
    '.BR birdc (8),',
    '.BR docker (1),',
    '.BR systemctl (1)',
    '',
  ].join('\n')
}

const files: Item[] = [
  ['/etc/calico-agent/agent.yaml', 'the config file; it lists every key with its default'],
  ['/var/lib/calico-agent/runs', 'the journals of the runs: what an interrupted one needs to go back'],
  ['/var/lib/calico-agent/lock', 'held by the run that is in progress'],
  ['/usr/lib/systemd/system/calico-agent.service', 'the service: calico-agent daemon'],
  ['/usr/lib/systemd/system/calico-agent-resume.service', 'settles an interrupted run when the host boots'],
  ['/usr/lib/systemd/system/calico-agent-metrics.timer', 'writes the metrics for node_exporter; disabled'],
  ['/usr/share/doc/calico-agent', 'changes, and the licences of the bundled packages'],
]

/** `release HOST` is the command `release`. */
const commandsIn = ({ commands }: Help): string[] => commands.map(([term]) => term.split(' ')[0] ?? '')

const has = (items: Item[], wanted: string): boolean => items.some(([term]) => term === wanted)

function commandSection({ usage, description, options }: Help): string[] {
  return [
    `.SS "${roff(usage)}"`,
    ...paragraph(description),
    ...options.flatMap(([term, text]) => item(term, text)),
  ]
}

/** What `--help` prints: usage, description, and blocks of a title and "  term  what it is for", wrapped. */
function parseHelp(text: string): Help {
  const [usage = '', description = '', ...blocks] = text.trim().split(/\n\n+/)
  const titled = blocks.map((block) => [block.split('\n', 1)[0] ?? '', itemsIn(block)] as const)
  const under = (title: RegExp): Item[] =>
    titled.filter(([of]) => title.test(of)).flatMap(([, items]) => items)
  return {
    usage: usage.replace('Usage: ', ''),
    description,
    // whatever the groups of the overview are called
    commands: under(/^(?!Arguments|Options|Common options|Examples).*:$/),
    options: under(/^(Arguments|Options):$/),
    commonOptions: under(/^Common options:$/),
    examples: blocks.filter((block) => block.startsWith('Examples:\n')).flatMap(examplesIn),
  }
}

function itemsIn(block: string): Item[] {
  const items: Item[] = []
  for (const line of block.split('\n').slice(1)) {
    const [, term, about] = /^ {2}(\S+(?: \S+)*) {2,}(\S.*)$/.exec(line) ?? []
    const last = items.at(-1)
    if (term !== undefined && about !== undefined) items.push([term, about])
    else if (last) last[1] += ` ${line.trim()}`
  }
  return items
}

const examplesIn = (block: string): Item[] =>
  [...block.matchAll(/^ {2}# (.*)\n {2}(.*)$/gm)].map(([, about = '', line = '']) => [line, about])

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
