import { invalidReply, replyCode, replyLines, throwIfRefused, visitLines } from './replies.ts'
import type { BirdUp, Session, SessionRow } from './view.ts'

/** The commands to BIRD for one look, by the detail needed. */
export const LOOK_COMMANDS = {
  rows: ['show status', 'show protocols'],
  details: ['show status', 'show protocols all'],
} as const

type Status = Pick<BirdUp, 'lastReboot' | 'recovering' | 'waitTimer'>

/** @throws AgentError `bird-refused` for an error reply, `bird-reply-invalid` for an incomplete one */
export function readStatus(reply: string): Status {
  const lines = replyLines(reply)
  const find = (pattern: RegExp): string | undefined =>
    lines.map(({ text }) => pattern.exec(text)?.[1]).find((found) => found !== undefined)
  throwIfRefused('show status', lines)
  const lastReboot = find(/^Last reboot on (.+)$/)
  if (lastReboot === undefined || lines.at(-1)?.code !== replyCode.status)
    throw invalidReply('its status is incomplete')
  const recovering = lines.some(({ code }) => code === replyCode.recovering)
  return { lastReboot, recovering, waitTimer: find(/^Wait timer is (\S+)$/) ?? null }
}

/**
 * The BGP protocols of `show protocols`.
 * @throws AgentError `bird-refused` for an error reply, `bird-reply-invalid` for an incomplete one
 */
export function readRows(reply: string): SessionRow[] {
  const lines = replyLines(reply)
  throwIfRefused('show protocols', lines)
  const rows: SessionRow[] = []
  for (const { code, text } of lines) {
    const row = code === replyCode.row ? parseRow(text) : undefined
    if (row) rows.push(sessionRow(row))
  }
  return rows
}

interface Row {
  name: string
  /** Of the protocol: up, wait, start, down ... */
  state: string
  since: string
  info: string
}

/** Columns: name proto table state since info. `since` is a date and a time with `timeformat protocol iso long`. */
const BGP_ROW = /^(\S+)\s+BGP\s+\S+\s+(\S+)\s+(\S+(?: \d[\d:.]*)?)\s*(.*)$/

function parseRow(text: string): Row | undefined {
  const match = BGP_ROW.exec(text)
  if (!match) return undefined
  const [, name = '', state = '', since = '', info = ''] = match
  return { name, state, since, info }
}

/** The info column has the state of BGP and the last error; of a protocol that is down the error alone. */
function sessionRow({ name, state, since, info }: Row): SessionRow {
  const [, word = '', rest = ''] = /^(\S*)\s*(.*)$/.exec(info) ?? []
  const [bgpState, error] = state === 'down' ? ['Down', info] : [word, rest]
  if (bgpState === '') throw invalidReply(`its row of ${name} is incomplete`)
  return { name, since, imported: null, ...standing(state, bgpState, error) }
}

function standing(
  state: string,
  bgpState: string,
  error: string,
): Pick<SessionRow, 'established' | 'info' | 'disabled'> {
  return {
    // not the state of the protocol: it is "wait" for an Established session while recovery is in progress
    established: bgpState === 'Established',
    info: error === '' ? bgpState : `${bgpState} (${error})`,
    // a protocol that BIRD itself took down, for want of its port for example, says why
    disabled: state === 'down' && error === '',
  }
}

/**
 * The BGP protocols of `show protocols all`.
 * @throws AgentError `bird-refused` for an error reply, `bird-reply-invalid` for an incomplete one
 */
export function readSessions(reply: string): Session[] {
  const sessions: Session[] = []
  let row: Row | undefined
  let details: Details = {}
  const close = (): void => {
    if (row) sessions.push(session(row, details))
  }
  visitLines(reply, (code, at, end) => {
    if (code === replyCode.row) {
      close()
      row = parseRow(reply.slice(at, end).trim())
      details = {}
    } else if (code === replyCode.detail && row) {
      addDetail(details, reply, at, end)
    } else if (code >= replyCode.firstError) {
      throwIfRefused('show protocols all', [{ code, text: reply.slice(at, end).trim() }])
    }
  })
  close()
  return sessions
}

/** The values after the names of BIRD's details. */
type Details = Partial<Record<(typeof DETAILS)[number], string>>

const DETAILS = [
  'Neighbor address',
  'BGP state',
  'Last error',
  'Neighbor caps',
  'Routes',
  'Neighbor graceful restart active',
  'Restart timer',
] as const

const KNOWN: ReadonlySet<string> = new Set(DETAILS)
/** Only few lines need their own string. */
const INITIALS: ReadonlySet<string | undefined> = new Set(DETAILS.map((name) => name[0]))

function addDetail(details: Details, reply: string, at: number, end: number): void {
  let start = at
  while (start < end && reply[start] === ' ') start++
  if (!INITIALS.has(reply[start])) return
  const text = reply.slice(start, end).trimEnd()
  const colon = text.indexOf(':')
  const name = colon === -1 ? text : text.slice(0, colon)
  if (!KNOWN.has(name)) return
  details[name as keyof Details] ??= colon === -1 ? '' : text.slice(colon + 1).trim()
}

function session({ name, state, since }: Row, details: Details): Session {
  const { 'Neighbor address': neighbor, 'BGP state': bgpState, 'Last error': error = '' } = details
  if (!neighbor || !bgpState) throw invalidReply(`its details of ${name} are incomplete`)
  const caps = details['Neighbor caps']?.split(/\s+/) ?? []
  return {
    name,
    neighbor,
    since,
    ...standing(state, bgpState, error),
    imported: firstNumber(details.Routes) ?? 0,
    restarting:
      details['Neighbor graceful restart active'] === undefined
        ? null
        : { secondsLeft: firstNumber(details['Restart timer']) },
    restartAware: caps.includes('restart-aware') || caps.includes('restart-able'),
  }
}

/** Of "118/-", "1 imported, 0 exported, 0 preferred". */
function firstNumber(text = ''): number | null {
  const number = Number.parseInt(text, 10)
  return Number.isNaN(number) ? null : number
}
