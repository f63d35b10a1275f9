import { composeDirectories } from '../docker/compose.ts'
import { type Command, commandsIn, scriptCommands, shown } from './command-lines.ts'
import { execLines, settingOf, type UnitSource } from './commands.ts'
import type { UnitText } from './lines.ts'
import { doesWith, mentions, type Subject } from './starters.ts'
import { textOf } from './traced.ts'

/** A line by which something other than Docker keeps the container. */
export interface Claim {
  /** `calico-node.service`, or the file if the line is in no unit. */
  by: string
  /** As written, `PATH: ...` if it is in a script; without secrets. */
  line: string
  /** False if it only follows a container that something else starts. */
  starts: boolean
}

/** The line of a unit that keeps the container, in its commands or in a script that they name; null if there is none. */
export function claimOf(source: UnitSource, subject: Subject): Claim | null {
  const commands = commandsIn(source)
  return claimBy(source.name, commands, subject) ?? claimByCompose(source, commands, subject)
}

/** Of a script that no unit names, such as /etc/rc.local, or a job of upstart. */
export function claimOfScript(script: UnitText, subject: Subject): Claim | null {
  const commands = scriptCommands(script, new Map())
  const claim = claimBy(script.path, commands, subject)
  return claim && { ...claim, line: claim.line.replace(`${script.path}: `, '') }
}

function claimBy(by: string, commands: Command[], subject: Subject): Claim | null {
  const all = commands.map(({ line, words }) => ({ line, does: doesWith(words, subject) }))
  const first = (...kinds: string[]) => all.find(({ does }) => does !== null && kinds.includes(does))
  const isAbout = [by, ...commands.map(({ line }) => line)].some((text) => mentions(text, subject))
  const starting = first('starts', ...(isAbout ? ['starts-unknown'] : []))
  if (starting) return { by, line: shown(starting.line), starts: true }
  const following = first('follows') ?? (first('acts') && first('logs'))
  return following ? { by, line: shown(following.line), starts: false } : null
}

/** docker-compose brings up whatever its file names; the container's labels name the file that created it. */
function claimByCompose(source: UnitSource, commands: Command[], subject: Subject): Claim | null {
  const { name, fragments, scripts = [] } = source
  const composed = commands.find(
    ({ words }) =>
      words.some((word) => /(^|[/-])compose$/.test(word)) &&
      words.some((word) => ['up', 'start', 'run', 'create'].includes(word)),
  )
  if (!composed) return null
  const isNamed = scripts.some(({ path, text }) => /\.ya?ml$/.test(path) && mentions(text, subject))
  const directories = subject.compose === null ? [] : composeDirectories(subject.compose)
  const isThere = [...fragments, ...scripts].some(({ text }) => directories.some((one) => text.includes(one)))
  return isNamed || isThere ? { by: name, line: shown(composed.line), starts: true } : null
}

/** Files that the unit's commands name, which may hold commands of their own. */
export function namedFiles(source: UnitSource): string[] {
  const commands = execLines(source).flatMap((line) => line.commands)
  const directory = settingOf(source, 'WorkingDirectory').replace(/^-/, '')
  return filesOf(
    commands.map((words) => words.map(({ text }) => textOf(text))),
    directory,
  )
}

/** The same for command lines whose words are separated only by blanks. */
export function namedByLines(lines: string[]): string[] {
  return filesOf(
    lines.map((line) => line.split(/[\s;="']+/)),
    '',
  )
}

/** The same for a script. */
export function namedByScript(script: UnitText): string[] {
  return filesOf(
    scriptCommands(script, new Map()).map(({ words }) => words),
    '',
  )
}

const COMPOSE_FILES = ['docker-compose.yml', 'docker-compose.yaml', 'compose.yaml', 'compose.yml']

/** The script comes first, or after a shell and anything else allowed before it. */
function filesOf(commands: string[][], directory: string): string[] {
  const files = commands.flatMap((words) => {
    const named = words.slice(0, 8).filter((word) => /^\/(?!dev\/|proc\/|sys\/)/.test(word))
    if (!words.some((word) => /(^|[/-])compose$/.test(word))) return named
    const given = words.flatMap((word, i) => {
      if (/^(-f|--file)$/.test(word)) return words[i + 1] ?? []
      return /^(?:-f|--file=)(.+)$/.exec(word)?.[1] ?? []
    })
    const paths = given.length > 0 ? given : COMPOSE_FILES
    return [...named, ...paths.map((path) => (path.startsWith('/') ? path : `${directory}/${path}`))]
  })
  return [...new Set(files)]
}
