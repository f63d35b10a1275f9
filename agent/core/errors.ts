import { redactText } from './redact/text.ts'

/** Exit codes of the command line, see docs/commands.md. */
export const ExitCode = {
  done: 0,
  bug: 1,
  usage: 2,
  refused: 3,
  rolledBack: 4,
  stuck: 5,
  deferred: 75,
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** One thing that is wrong with the host, the config or the request, and the way out of it. */
export interface Problem {
  /** Stable name, e.g. `peer-down`; a preflight rule's name can be given to `--allow`. */
  code: string
  severity: 'error' | 'warning'
  message: string
  /** What the operator can do about it, a command if there is one. */
  fix: string
  /** Which of several things the message is about, as it names it, such as a peer: text shows one reason once. */
  subject?: string
}

export function isError({ severity }: Pick<Problem, 'severity'>): boolean {
  return severity === 'error'
}

/** One argument of a program, as a hook or systemd-notify gets it, holds 128 KiB (execve(2)); a page shows less. */
const MAX_TEXT = 8_000
/** A secret that is cut in two is not recognized: search more text than is kept. */
const MAX_QUOTED = 64_000

const ENGINE_GONE = ['docker-unreachable', 'docker-timeout']
const PASSING = [...ENGINE_GONE, 'no-space']

/**
 * A failure with a name, a reason and a way out. Anything else that is thrown is a bug. It may quote other programs:
 * secrets are removed here, before it is journaled, reported or shown anywhere.
 */
export class AgentError extends Error {
  override readonly name = 'AgentError'
  readonly code: string
  readonly fix: string
  readonly exitCode: ExitCode
  /** The same request may succeed later: an Engine that is down, a full disk, a server error. */
  readonly isTransient: boolean
  /** What it left behind. */
  readonly further: Problem[] = []

  constructor(
    code: string,
    message: string,
    details: { fix: string; exitCode?: ExitCode; cause?: unknown; isTransient?: boolean },
  ) {
    super(shown(message), details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.fix = shown(details.fix)
    this.exitCode = details.exitCode ?? ExitCode.refused
    this.isTransient = details.isTransient ?? PASSING.includes(code)
  }

  asProblem(): Problem {
    return { code: this.code, severity: 'error', message: this.message, fix: this.fix }
  }

  /** More than one if all were searched for at once. */
  asProblems(): Problem[] {
    return [this.asProblem(), ...this.further]
  }
}

/** Text from other programs, safe to journal, report and show: without secrets, and of readable length. */
function shown(text: string): string {
  return clipped(redactText(clipped(text, MAX_QUOTED)), MAX_TEXT)
}

function clipped(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max)} ... (${text.length - max} more characters)`
}

/** The Engine did not answer: that says nothing about the containers. */
export function isEngineGone(error: unknown): boolean {
  return error instanceof AgentError && ENGINE_GONE.includes(error.code)
}

/** The other side is down and may be back at any moment: it is asked more often than one that answers with errors. */
export function isAway(error: unknown): boolean {
  return isEngineGone(error) || (error instanceof AgentError && error.code === 'kubernetes-unreachable')
}

/** It is not caused by the request: a later try may succeed. */
export function isTransient(error: unknown): boolean {
  return error instanceof AgentError && error.isTransient
}

/** All of them in one. If one of them is transient, so is the whole, with that one's code. */
export function joinErrors(errors: AgentError[]): AgentError | undefined {
  const [first, ...others] = errors
  if (first === undefined || others.length === 0) return first
  const passing = errors.find((error) => error.isTransient)
  const fixes = new Set(errors.map(({ fix }) => fix))
  return new AgentError((passing ?? first).code, errors.map(({ message }) => message).join('; '), {
    fix: [...fixes].join('; '),
    exitCode: first.exitCode,
    cause: first,
    isTransient: passing !== undefined,
  })
}
