import { AgentError } from '../core/errors.ts'
import type { KernelRoutes } from '../ports/kernel-routes.ts'
import { runIp } from './ip.ts'

/** After the RFC of graceful restart; a table and two places in the rules that nothing else uses. */
const HELD_TABLE = 24724
/** Right before the rule of the main table, 32766. */
const MAIN_FIRST = 32724
const HELD_NEXT = 32725
/** rtnetlink's number of BIRD (RTPROT_BIRD), whatever rt_protos names it. */
const BIRD = 12

export function createKernelRoutes(): KernelRoutes {
  return { hold, release }
}

const FAMILIES = ['-4', '-6'] as const
type Family = (typeof FAMILIES)[number]

async function hold(): Promise<void> {
  for (const family of await clear()) {
    const shown = await ip(`${family} -oneline route show table main proto ${BIRD}`)
    const routes = shown.split('\n').filter((line) => line.trim() !== '')
    if (routes.length === 0) continue
    await ip(`${family} -force -batch -`, routes.map(addition).join(''))
    // The main table's own routes go first, its default route last: the copies only fill what BIRD took away.
    await ip(`${family} rule add pref ${MAIN_FIRST} lookup main suppress_prefixlength 0`)
    await ip(`${family} rule add pref ${HELD_NEXT} lookup ${HELD_TABLE}`)
  }
}

/** States that `ip` shows with a route but does not accept. */
const STATES = /\b(dead|linkdown|offload|trap|rt_trap|pref medium|expires \S+|error \S+)\b/g

/** One line of `ip -oneline route show` as an `ip -batch` line; `\` stands for the line breaks of several next hops. */
function addition(route: string): string {
  const words = route
    .replaceAll(STATES, ' ')
    .replaceAll(/[\\\s]+/g, ' ')
    .trim()
  // Attributes of the whole route come before its next hops.
  return `route add ${words.replace(/(?= nexthop |$)/, ` proto static table ${HELD_TABLE}`)}\n`
}

async function release(): Promise<void> {
  await clear()
}

/** Returns the families that the kernel has. */
async function clear(): Promise<Family[]> {
  const found: Family[] = []
  for (const family of FAMILIES) {
    const rules = await rulesOf(family)
    if (rules === null) continue
    found.push(family)
    for (const pref of [HELD_NEXT, MAIN_FIRST]) {
      // One each time: a hold that died half-way may have left the rule twice.
      const count = rules.split('\n').filter((line) => line.startsWith(`${pref}:`)).length
      for (let i = 0; i < count; i++) await ip(`${family} rule del pref ${pref}`)
    }
    await ip(`${family} route flush table ${HELD_TABLE}`).catch(() => undefined)
  }
  return found
}

/** Null where the kernel does not have the family, as after a boot with `ipv6.disable=1`. */
async function rulesOf(family: Family): Promise<string | null> {
  const { code, output, errors } = await runIp('routes-not-held', [family, 'rule', 'show'])
  if (code === 0) return output
  if (/family not supported/.test(errors)) return null
  throw notHeld(`${family} rule show`, errors)
}

/** Words without blanks only; no shell sees them. */
async function ip(words: string, input = ''): Promise<string> {
  const { code, output, errors } = await runIp('routes-not-held', words.split(' '), input)
  // A batch continues after a route that cannot be added.
  if (code === 0 || (code !== null && input !== '')) return output
  throw notHeld(words, errors)
}

function notHeld(words: string, errors: string): AgentError {
  return new AgentError('routes-not-held', `cannot run ip ${words}: ${errors.trim()}`, {
    fix: 'ip rule show lists the rules',
  })
}
