import { AgentError } from '../errors.ts'
import type { BirdView, Session } from './view.ts'

/** One line of a reply with its code; a continuation line carries the code of the line before it. */
export interface ReplyLine {
  code: number
  /** Without code and surrounding blanks. */
  text: string
  /** Ends the reply: "0013 Daemon ...", not "1011-Router ...". */
  last: boolean
}

/** Reply codes of BIRD 1.6, from its doc/reply_codes. */
const code = {
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

/**
 * Reads what BIRD sent, or what `birdcl -v` printed, which is the same but for wider continuation lines and
 * for the final `0000`, which it leaves out. The last line must be whole.
 * @throws AgentError `bird-reply-invalid` for text that is not of this protocol
 */
export function parseReply(text: string): ReplyLine[] {
  const lines: ReplyLine[] = []
  for (const line of text.split('\n')) {
    if (line.length === 0) continue
    lines.push(parseLine(line, lines.at(-1)))
  }
  return lines
}

function parseLine(line: string, previous: ReplyLine | undefined): ReplyLine {
  const coded = /^(\d{4})([ -])(.*)$/.exec(line)
  if (coded) return { code: Number(coded[1]), text: (coded[3] ?? '').trim(), last: coded[2] === ' ' }
  if (line.startsWith(' ') && previous && !previous.last) {
    return { code: previous.code, text: line.trim(), last: false }
  }
  throw invalid(`"${line.slice(0, 60)}" is no line of BIRD's control protocol`)
}

/**
 * The part of `text` up to the end of its first whole reply, greeting included, or undefined when there is
 * none yet.
 */
export function firstReply(text: string): string | undefined {
  const end = /^\d{4} .*\n/m.exec(text)
  return end ? text.slice(0, end.index + end[0].length) : undefined
}

/** @throws AgentError `bird-reply-invalid` unless the lines are "0001 BIRD ... ready." */
export function checkGreeting(lines: ReplyLine[]): void {
  if (lines.length !== 1 || lines[0]?.code !== code.ready) throw invalid('it does not greet as BIRD does')
}

/**
 * Joins the replies of `show status` and `show protocols all`; only BGP protocols become sessions.
 * @throws AgentError `bird-refused` for an error reply, `bird-reply-invalid` for an incomplete one
 */
export function parseView(
  status: ReplyLine[],
  protocols: ReplyLine[],
  instance: string | null = null,
): BirdView & { state: 'up' } {
  return { state: 'up', instance, ...parseStatus(status), sessions: parseSessions(protocols) }
}

function parseStatus(lines: ReplyLine[]) {
  throwIfRefused('show status', lines)
  const lastReboot = find(lines, /^Last reboot on (.+)$/)
  if (lastReboot === undefined || lines.at(-1)?.code !== code.status)
    throw invalid('its status is incomplete')
  const recovering = lines.some((line) => line.code === code.recovering)
  return { lastReboot, recovering, waitTimer: find(lines, /^Wait timer is (\S+)$/) ?? null }
}

function parseSessions(lines: ReplyLine[]): Session[] {
  throwIfRefused('show protocols all', lines)
  const blocks: { row: string; details: ReplyLine[] }[] = []
  for (const line of lines) {
    if (line.code === code.row) blocks.push({ row: line.text, details: [] })
    if (line.code === code.detail) blocks.at(-1)?.details.push(line)
  }
  return blocks.flatMap(({ row, details }) => {
    const session = parseSession(row, details)
    return session ? [session] : []
  })
}

/** Columns of the row: name proto table state since info. The details repeat `info` without ambiguity. */
function parseSession(row: string, details: ReplyLine[]): Session | undefined {
  const [name, kind, , protocolState, since = ''] = row.split(/\s+/)
  if (name === undefined || kind !== 'BGP') return undefined
  const neighbor = find(details, /^Neighbor address:\s+(\S+)$/)
  const bgpState = find(details, /^BGP state:\s+(\S+)$/)
  if (neighbor === undefined || bgpState === undefined) throw invalid(`its details of ${name} are incomplete`)
  const error = find(details, /^Last error:\s+(.+)$/)
  const caps = find(details, /^Neighbor caps:\s+(.+)$/)?.split(/\s+/) ?? []
  return {
    name,
    neighbor,
    // not the state column: it says "wait" for an Established session while recovery is in progress
    established: bgpState === 'Established',
    info: error === undefined ? bgpState : `${bgpState} (${error})`,
    imported: Number(find(details, /^Routes:\s+(\d+) imported/) ?? 0),
    since,
    restarting: restartingOf(details),
    restartAware: caps.includes('restart-aware') || caps.includes('restart-able'),
    // a protocol that BIRD itself took down, for want of its port for example, says why
    disabled: protocolState === 'down' && error === undefined,
  }
}

function restartingOf(details: ReplyLine[]): Session['restarting'] {
  if (!details.some(({ text }) => text === 'Neighbor graceful restart active')) return null
  const left = find(details, /^Restart timer:\s+(\d+)\//)
  return { secondsLeft: left === undefined ? null : Number(left) }
}

/**
 * Checks the reply to `disable NAME` or `enable NAME`; a protocol that already is so is no error.
 * @throws AgentError `bird-refused` with BIRD's own words
 */
export function checkSwitched(action: 'disable' | 'enable', lines: ReplyLine[]): void {
  throwIfRefused(action, lines)
  const expected: number[] =
    action === 'disable' ? [code.disabled, code.alreadyDisabled] : [code.enabled, code.alreadyEnabled]
  if (!lines.some((line) => expected.includes(line.code))) throw invalid(`it does not confirm "${action}"`)
}

function throwIfRefused(command: string, lines: ReplyLine[]): void {
  const refusal = lines.find((line) => line.code >= code.firstError)
  if (!refusal) return
  throw new AgentError('bird-refused', `cannot run "${command}" in BIRD: ${refusal.text}`, {
    fix: 'compare with `birdcl show protocols` in the container',
  })
}

function find(lines: ReplyLine[], pattern: RegExp): string | undefined {
  for (const line of lines) {
    const match = pattern.exec(line.text)
    if (match) return match[1]
  }
  return undefined
}

function invalid(reason: string): AgentError {
  return new AgentError('bird-reply-invalid', `cannot read what the BIRD socket answers: ${reason}`, {
    fix: 'check that `bird.sockets` names the control sockets of BIRD 1.x',
  })
}
