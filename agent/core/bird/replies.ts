import { AgentError } from '../errors.ts'

/** One line of a reply with its code; a continuation line carries the code of the line before it. */
interface ReplyLine {
  code: number
  /** Without code and surrounding blanks. */
  text: string
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

/** Assembles a reply from what BIRD sends: it sends nothing more until the next command. */
export class ReplyReader {
  #chunks: string[] = []
  /** What came after the last whole line. */
  #tail = ''

  /** The reply, or the greeting, that this chunk completes. */
  push(chunk: string): string | undefined {
    this.#chunks.push(chunk)
    const text = this.#tail + chunk
    const end = text.lastIndexOf('\n')
    this.#tail = text.slice(end + 1)
    if (end === -1 || this.#tail !== '') return undefined
    const start = end === 0 ? 0 : text.lastIndexOf('\n', end - 1) + 1
    if (!isCoded(text, start) || text.charCodeAt(start + 4) !== SPACE) return undefined
    return this.takeRest()
  }

  /** The whole lines of a reply that is incomplete. */
  takeRest(): string {
    const text = this.#chunks.join('')
    this.#chunks = []
    return text.slice(0, text.lastIndexOf('\n') + 1)
  }
}

const SPACE = 0x20
const ZERO = 0x30
const NINE = 0x39

/** Whether "1002-" or "0013 " is there. */
function isCoded(text: string, at: number): boolean {
  for (let i = at; i < at + 4; i++) {
    const char = text.charCodeAt(i)
    if (!(char >= ZERO && char <= NINE)) return false
  }
  return text[at + 4] === '-' || text[at + 4] === ' '
}

/**
 * Goes through the lines of a reply, as BIRD sends it or as `birdcl -v` prints it, which is the same except for wider
 * continuation lines and for the final `0000`, which it leaves out. `text` of a line begins at `at`, after its code:
 * a large mesh has ten thousand lines, of which few are of interest.
 * @throws AgentError `bird-reply-invalid` for text that is not of this protocol
 */
export function visitLines(reply: string, visit: (code: number, at: number, end: number) => void): void {
  let code = -1
  for (let at = 0; at < reply.length; ) {
    const newline = reply.indexOf('\n', at)
    const end = newline === -1 ? reply.length : newline
    if (end > at) {
      if (isCoded(reply, at)) {
        code = Number(reply.slice(at, at + 4))
        visit(code, at + 5, end)
        // nothing continues a line that ends a reply
        if (reply[at + 4] === ' ') code = -1
      } else if (code !== -1 && reply.charCodeAt(at) === SPACE) {
        visit(code, at + 1, end)
      } else {
        const line = reply.slice(at, Math.min(end, at + 60))
        throw invalidReply(`"${line}" is not a line of BIRD's control protocol`)
      }
    }
    at = end + 1
  }
}

/** @throws AgentError `bird-reply-invalid` for text that is not of this protocol */
export function replyLines(reply: string): ReplyLine[] {
  const lines: ReplyLine[] = []
  visitLines(reply, (code, at, end) => lines.push({ code, text: reply.slice(at, end).trim() }))
  return lines
}

/** @throws AgentError `bird-reply-invalid` unless it is "0001 BIRD ... ready." */
export function checkGreeting(reply: string): void {
  const lines = replyLines(reply)
  if (lines.length !== 1 || lines[0]?.code !== replyCode.ready)
    throw invalidReply('its greeting is not that of BIRD')
}

/**
 * Checks the reply to `disable NAME` or `enable NAME`; a protocol that is already in that state is no error.
 * @throws AgentError `bird-refused` with BIRD's own words
 */
export function checkSwitched(action: 'disable' | 'enable', reply: string): void {
  const lines = replyLines(reply)
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
    fix: 'compare with birdcl show protocols in the container',
  })
}

export function invalidReply(reason: string): AgentError {
  return new AgentError('bird-reply-invalid', `cannot read the answer from BIRD's socket: ${reason}`, {
    fix: 'check that bird.sockets names the control sockets of BIRD 1.x',
  })
}
