import { type DockerRunArgs, dockerCommand } from '../docker/run-args.ts'
import type { ExecLine } from './commands.ts'
import { textOf } from './traced.ts'

/** Why a unit is not changed, and what to do about it. */
export interface Obstacle {
  why: string
  fix: string
}

/**
 * Why a unit would start neither image once a swap has removed its container: the swap uses another `ExecStop=`, so what
 * the unit's own would remove is still there, and the container is not. Null if nothing shows that.
 */
export function obstacleToStart(run: DockerRunArgs, lines: ExecLine[], container: string): Obstacle | null {
  return needsContainer(lines, container) ?? fromLeft(run, lines, container)
}

/** The `docker` commands that fail if there is no such container. */
const NEEDS = ['stop', 'kill', 'rm', 'start', 'restart', 'inspect', 'wait', 'exec', 'rename']

function needsContainer(lines: ExecLine[], container: string): Obstacle | null {
  const line = lines.find(
    (one) => ['ExecCondition', 'ExecStartPre'].includes(one.key) && counts(one) && needs(one, container),
  )
  if (!line) return null
  return {
    why: `its ${line.key}=${textOf(line.value)} fails if ${container} does not exist: neither image would start`,
    fix: `prefix the command with -: ExecStartPre=-${textOf(line.value)}`,
  }
}

function needs({ commands }: ExecLine, container: string): boolean {
  // among several commands of a shell, the others decide the outcome
  if (commands.length !== 1) return false
  const [program = '', ...words] = commands.flat().map(({ text }) => textOf(text))
  const verb = words[0] === 'container' ? words[1] : words[0]
  const isForced = verb === 'rm' && words.some((word) => /^(-[a-z]*f[a-z]*|--force)$/.test(word))
  return /(^|\/)docker$/.test(program) && NEEDS.includes(verb ?? '') && !isForced && words.includes(container)
}

/** `-`: a failure does not count. */
function counts({ value }: ExecLine): boolean {
  return !/^[@:+!|]*-/.test(textOf(value))
}

function fromLeft({ cidFile }: DockerRunArgs, lines: ExecLine[], container: string): Obstacle | null {
  const name = lines.flatMap((line) => madeBeside(line, container)).find((one) => !isTakenAway(one, lines))
  if (name !== undefined) {
    return {
      why: `its start also creates ${name}, which nothing but its ExecStop= may remove: neither image would start`,
      fix: `add ExecStartPre=-/usr/bin/docker rm -f ${name} to the unit`,
    }
  }
  if (cidFile === null || isTakenAway(cidFile, lines)) return null
  return {
    why: `its docker run does not start while ${cidFile} exists, which nothing but its ExecStop= may remove`,
    fix: `add ExecStartPre=-/bin/rm -f ${cidFile} to the unit`,
  }
}

/** Names of other containers that exist when the unit has started. */
function madeBeside(line: ExecLine, container: string): string[] {
  if (!['ExecStartPre', 'ExecStart', 'ExecStartPost'].includes(line.key) || !counts(line)) return []
  return line.commands.flatMap((words) => {
    const command = dockerCommand(words)
    if (command.kind !== 'run' || !command.run.detached) return []
    const { name } = command.run
    return name === null || name === '' || name === container ? [] : [name]
  })
}

function isTakenAway(named: string, lines: ExecLine[]): boolean {
  return lines.some((line) => takesAway(line, named))
}

function takesAway({ key, commands }: ExecLine, named: string): boolean {
  if (key !== 'ExecStartPre' && key !== 'ExecStopPost') return false
  return commands
    .map((words) => words.slice(1).map(({ text }) => textOf(text)))
    .some((words) => words[0] !== 'run' && words.includes(named))
}

/**
 * Lines around `ExecStart=` that each start needs, also on trial: they remove what the previous start left, such as a
 * `--cidfile`, or act on the new container.
 */
export function neededLines(lines: ExecLine[], container: string): ExecLine[] {
  const starts = lines.filter(({ key }) => key === 'ExecStart')
  const left = starts.flatMap((line) => [...madeBeside(line, container), ...cidFilesOf(line)])
  return lines.filter((line) => left.some((named) => takesAway(line, named)) || actsOn(line, container))
}

function cidFilesOf({ commands }: ExecLine): string[] {
  return commands.flatMap((words) => {
    const command = dockerCommand(words)
    return command.kind === 'run' && command.run.cidFile !== null ? [command.run.cidFile] : []
  })
}

/** The `docker` commands that act on a running container. */
const ACTS = ['exec', 'cp', 'update', 'network', 'rename']

function actsOn({ key, commands }: ExecLine, container: string): boolean {
  if (key !== 'ExecStartPost') return false
  return commands.some((words) => {
    const [program = '', ...args] = words.map(({ text }) => textOf(text))
    const isDocker = /(^|\/)docker$/.test(program) && args.some((arg) => ACTS.includes(arg))
    return isDocker && args.some((arg) => arg === container || arg.startsWith(`${container}:`))
  })
}
