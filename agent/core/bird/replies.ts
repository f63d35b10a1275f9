import { AgentError } from '../errors.ts'

/** One line of a reply with its code; a continuation line carries the code of the line before it. */
export interface ReplyLine {
  code: number
  /** Without code and surrounding blanks. */
  text: string
  /** Ends the reply: "0013 Daemon ...", not "1011-Router ...". */
  last: boolean
}

/** Reply codes of BIRD 1.6, from its doc/reply_codes. */
export const replyCode = {
  ready: 1,
  alreadyDisabled: 8,
  disabled: 9,
  alreadyEnabled: 10,
  enabled: 11,
  status: 13,
  recovering: 24,
  row: 1002,
  detail: 1006,
  firstError: 8000,
} as const

/** Splits what BIRD sends into replies, as it comes in. Each byte is looked at once: a large mesh sends megabytes. */
export class ReplyReader {
  #rest = ''
  #lines: ReplyLine[] = []

  /**
   * The replies, greeting included, that this chunk completes.
   * @throws AgentError `bird-reply-invalid` at the first whole line that is not of BIRD's protocol
   */
  push(chunk: string): ReplyLine[][] {
    const text = this.#rest + chunk
    const replies: ReplyLine[][] = []
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      if (end > start) this.#add(text.slice(start, end), replies)
      start = end + 1
    }
    this.#rest = text.slice(start)
    return replies
  }

  #add(text: string, replies: ReplyLine[][]): void {
    const line = parseLine(text, this.#lines.at(-1))
    this.#lines.push(line)
    if (!line.last) return
    replies.push(this.#lines)
    this.#lines = []
  }
}

/**
 * Reads what `birdcl -v` printed: as what BIRD sends, but for wider continuation lines and for the final `0000`,
 * which it leaves out. The last line must be whole.
 * @throws AgentError `bird-reply-invalid` for text that is not of this protocol
 */
export function parseReply(text: string): ReplyLine[] {
  const lines: ReplyLine[] = []
  for (const line of text.split('\n')) {
    if (line.length > 0) lines.push(parseLine(line, lines.at(-1)))
  }
  return lines
}

function parseLine(line: string, previous: ReplyLine | undefined): ReplyLine {
  const first = line.charCodeAt(0)
  if (first === SPACE && previous && !previous.last) {
    return { code: previous.code, text: line.trim(), last: false }
  }
  const coded = first >= ZERO && first <= NINE && /^\d{4}[ -]/.test(line)
  if (!coded) throw invalidReply(`"${line.slice(0, 60)}" is no line of BIRD's control protocol`)
  return { code: Number(line.slice(0, 4)), text: line.slice(5).trim(), last: line.charCodeAt(4) === SPACE }
}

const SPACE = 0x20
const ZERO = 0x30
const NINE = 0x39

/** @throws AgentError `bird-reply-invalid` unless the lines are "0001 BIRD ... ready." */
export function checkGreeting(lines: ReplyLine[]): void {
  if (lines.length !== 1 || lines[0]?.code !== replyCode.ready)
    throw invalidReply('it does not greet as BIRD does')
}

/**
 * Checks the reply to `disable NAME` or `enable NAME`; a protocol that already is so is no error.
 * @throws AgentError `bird-refused` with BIRD's own words
 */
export function checkSwitched(action: 'disable' | 'enable', lines: ReplyLine[]): void {
  throwIfRefused(action, lines)
  const expected: number[] =
    action === 'disable'
      ? [replyCode.disabled, replyCode.alreadyDisabled]
      : [replyCode.enabled, replyCode.alreadyEnabled]
  if (!lines.some(({ code }) => expected.includes(code)))
    throw invalidReply(`it does not confirm "${action}"`)
}

/** @throws AgentError `bird-refused` */
export function throwIfRefused(command: string, lines: ReplyLine[]): void {
  const refusal = lines.find(({ code }) => code >= replyCode.firstError)
  if (!refusal) return
  throw new AgentError('bird-refused', `cannot run "${command}" in BIRD: ${refusal.text}`, {
    fix: 'compare with `birdcl show protocols` in the container',
  })
}

export function invalidReply(reason: string): AgentError {
  return new AgentError('bird-reply-invalid', `cannot read what the BIRD socket answers: ${reason}`, {
    fix: 'check that `bird.sockets` names the control sockets of BIRD 1.x',
  })
}
