import { redactText } from '../redact/text.ts'

/** Colours and other sequences of a terminal. */
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[^[\]])/g
/** `svlogd -tt` and `-ttt` (runit), Felix and confd write when; all of them in UTC. */
const STAMP = /^(\d{4}-\d\d-\d\d)[_T ](\d\d:\d\d:\d\d(?:\.\d{1,3})?)\d*Z? ?/
const MAX_LINE = 160

/**
 * The lines of a log without secrets and without what would steer a terminal. Redacted as a whole first: a key has
 * several lines.
 */
export function logLines(text: string): string[] {
  return redactText(text.replace(ANSI, ''))
    .split(/[\r\n\u2028\u2029]+/)
    .map((line) => line.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim())
    .filter((line) => line !== '')
}

/** What was written since then (Docker's time): the file outlives the container that wrote before. */
export function linesSince(lines: string[], startedAt: string): string[] {
  const start = Date.parse(startedAt)
  const first = lines.findIndex((line) => {
    const [, date, time] = STAMP.exec(line) ?? []
    return date !== undefined && Date.parse(`${date}T${time ?? ''}Z`) >= start
  })
  const hasStamps = lines.some((line) => STAMP.test(line))
  return hasStamps ? lines.slice(first < 0 ? lines.length : first) : lines
}

/** Lines that tell of something wrong; BIRD, Felix, confd and runit each in their way. */
export function isErrorLine(line: string): boolean {
  return /\[(warn|err|fatal|panic|crit)|\b(warning|error|fatal|panic)\b|<(warn|err|fatal|bug)|\b(cannot|can't|unable|fail(ed|ure)?|refused|denied)\b/i.test(
    line,
  )
}

/** The last of the lines for a sentence that goes on behind them; empty where there are none. */
export function quoted(lines: string[], count: number): string {
  return lines
    .slice(-count)
    .map((line) => shortened(line.replace(STAMP, '')))
    .join(' | ')
    .replace(/[\s.,;:|]+$/, '')
}

function shortened(line: string): string {
  return line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE - 1)}…`
}

/** What etcd's client, Kubernetes' client and Calico say where the datastore is away. */
const AWAY =
  /etcd cluster is unavailable|no endpoints available|waiting for datastore|error connecting to (the )?datastore|(unable|fail\w*|cannot) to (connect to|reach|access|get \S+ from|load \S+ from|query)\b.*\b(datastore|etcd|api ?server)|dial tcp\b|\bconnection refused\b|context deadline exceeded|etcdserver: (no leader|request timed out)|no route to host|i\/o timeout/i
const RECENT = 10

/** Only the last lines: at its start a node may have waited for its datastore for a moment. */
export function saysDatastoreIsAway(lines: string[]): boolean {
  return lines.slice(-RECENT).some((line) => AWAY.test(line))
}
