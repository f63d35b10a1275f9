import { isErrorLine, quoted, saysDatastoreIsAway } from './log-lines.ts'

/** The parts of calico/node that log to a file of their own (`/etc/service/available/PART/log/run`). */
const NODE_PARTS = ['felix', 'bird', 'bird6', 'confd'] as const

export type NodePart = (typeof NODE_PARTS)[number]

export function partLogPath(part: NodePart): string {
  return `/var/log/calico/${part}/current`
}

/** The lines of a part; none where it has no log. */
export interface PartLog {
  part: NodePart
  lines: string[]
}

/** The parts whose logs may explain `why`: one that is read in vain costs time of the window. */
export function partsBehind(why: string): readonly NodePart[] {
  const asked = concerned(why)
  if (asked.length === 0) return NODE_PARTS
  // Felix's log also says that the datastore does not answer
  return NODE_PARTS.filter((part) => part === 'felix' || asked.includes(part))
}

const PART_LINES = 3
const OWN_LINES = 5
/** What start_runit says whatever becomes of the parts. */
const STARTED = /Calico node started successfully$/

/** The end of a sentence that says `why` a node fails: what the container logged, and the parts that are concerned. */
export function nodeLogText(own: string[], parts: PartLog[], why: string): string {
  const quotes = parts.flatMap((log) => partText(log, concerned(why)))
  const saysNothing = STARTED.test(own.at(-1) ?? '') && quotes.length > 0
  return `${datastoreText(own, parts)}${saysNothing ? '' : ownLogText(own)}${quotes.join('')}`
}

/** The same of a container whose parts have no logs. */
export function logText(own: string[]): string {
  return `${datastoreText(own, [])}${ownLogText(own)}`
}

function ownLogText(lines: string[]): string {
  const text = quoted(lines, OWN_LINES)
  return text === '' ? '' : `; the end of its log: ${text}`
}

/** What is wrong, before what is merely last. A part that is not known to be concerned has to have trouble. */
function partText({ part, lines }: PartLog, asked: NodePart[]): string[] {
  if (asked.length > 0 && !asked.includes(part)) return []
  const trouble = lines.filter(isErrorLine)
  const text = quoted(trouble.length > 0 || asked.length === 0 ? trouble : lines, PART_LINES)
  return text === '' ? [] : [`; ${part} logged: ${text}`]
}

/** By the words of the gate; none where they say nothing of a part, as of a container that exited. */
function concerned(why: string): NodePart[] {
  const ofFelix = /felix|\/readiness|\/liveness/i.test(why)
  const ofBird = /\bBIRD\b|\bsession |recovery in progress/.test(why)
  return [...(ofFelix ? (['felix'] as const) : []), ...(ofBird ? (['bird', 'bird6', 'confd'] as const) : [])]
}

/** No fact: Felix may say the same of Typha. BIRD's own words about connections are about its peers. */
function datastoreText(own: string[], parts: PartLog[]): string {
  const clients = parts.filter(({ part }) => part === 'felix' || part === 'confd').map(({ lines }) => lines)
  return [own, ...clients].some(saysDatastoreIsAway)
    ? '; according to its log the datastore does not answer'
    : ''
}
