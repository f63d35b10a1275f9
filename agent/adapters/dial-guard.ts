import { AgentError } from '../core/errors.ts'
import type { DialGuard, GuardedNeighbor } from '../ports/dial-guard.ts'
import { type IpRun, runIp } from './ip.ts'

/** After BGP's port; before other rules that could send the answer on its way. */
const PREF = 179
/** A port that nobody uses (tcpmux) stands in for BGP's on trial. */
const TRIAL_PORT = 1
/** A neighbor's own port while it connects; any will do. */
const SOME_PORT = 40_000
/** Reserved (RFC 1112) and for discarding (RFC 6666): nobody is there. */
const NOBODY = { '-4': '240.0.0.1', '-6': '100::1' } as const

type Family = keyof typeof NOBODY
const FAMILIES: readonly Family[] = ['-4', '-6']

/**
 * A connection that a neighbor opens never completes, since the answer to its SYN finds no way. This host's own
 * connection to the neighbor has another source port, and is not met by the rule.
 */
export function createDialGuard(): DialGuard {
  return {
    async check(neighbors) {
      for (const [family, ofFamily] of byFamily(neighbors)) await checkFamily(family, ofFamily)
    },

    async close(neighbors) {
      await Promise.all(
        byFamily(neighbors).map(async ([family, ofFamily]) => {
          const lines = ofFamily.map(({ address, listenPort }) => `rule add ${rule(address, listenPort)}`)
          // a rule that is there already does not keep the others from coming
          const { errors } = await batch(family, lines, '-force')
          const failed = errors.split('\n').filter((line) => !/^Command failed|File exists|^$/.test(line))
          if (failed.length > 0) throw unavailable(failed.join(' '))
        }),
      )
    },

    open,
  }
}

async function checkFamily(family: Family, neighbors: readonly GuardedNeighbor[]): Promise<void> {
  try {
    await tryRule(family)
    await tryNeighbors(family, neighbors)
  } finally {
    await remove(family, ({ port }) => port === TRIAL_PORT)
  }
}

async function open(addresses?: readonly string[]): Promise<string[]> {
  const opened = await Promise.allSettled(
    FAMILIES.map(async (family) => {
      if (addresses?.every((address) => familyOf(address) !== family) === true) return []
      return await remove(family, ({ address }) => addresses?.map(bare).includes(address) ?? true)
    }),
  )
  return opened.flatMap((family) => {
    if (family.status === 'rejected') throw family.reason
    return family.value
  })
}

async function remove(family: Family, isMeant: (rule: ClosedRule) => boolean): Promise<string[]> {
  const meant = (await closedRules(family)).filter(isMeant)
  if (meant.length === 0) return []
  const lines = meant.map(({ address, port }) => `rule del ${rule(address, port)}`)
  const { code, errors } = await batch(family, lines, '-force')
  // somebody else may have taken one away meanwhile
  const left = code === 0 ? [] : (await closedRules(family)).filter(isMeant)
  if (left.length > 0) throw stillClosed(family, errors, left)
  return meant.map(({ address }) => address)
}

interface ClosedRule {
  address: string
  port: number
}

/**
 * The guard's rules alone: others may have taken the same place. None where there is no `ip`, or not this family: nobody
 * can have made them.
 */
async function closedRules(family: Family): Promise<ClosedRule[]> {
  const shown = await runIp('dial-guard-unavailable', [family, 'rule', 'show']).catch((error: unknown) => {
    if (isMissing(error)) return null
    throw error
  })
  if (shown === null) return []
  const { code, output, errors } = shown
  if (code !== 0 && !/not supported/.test(errors)) throw stillClosed(family, errors)
  const shape = new RegExp(`^${PREF}:\\s+from all to (\\S+) ipproto tcp sport (\\d+) blackhole`, 'gm')
  return [...output.matchAll(shape)].map(([, address = '', port = '']) => ({ address, port: Number(port) }))
}

/** `ip` is not on the PATH. */
function isMissing(error: unknown): boolean {
  return error instanceof AgentError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}

/** A kernel before 4.17 takes the rule without its port: it would meet all traffic to the neighbor. */
async function tryRule(family: Family): Promise<void> {
  const { code, output, errors } = await batch(family, [
    `rule add ${rule(NOBODY[family], TRIAL_PORT)}`,
    'rule show',
  ])
  if (code !== 0) throw unavailable(errors)
  const shown = output.split('\n').filter((line) => line.startsWith(`${PREF}:`))
  if (shown.some((line) => line.includes(`ipproto tcp sport ${TRIAL_PORT} `))) return
  await batch(family, [`rule del pref ${PREF} to ${NOBODY[family]}`])
  throw unavailable('this kernel has no routing rules for ports, which need Linux 4.17')
}

/**
 * One neighbor of each way out is tried. Until July 2021 (net/ipv4: "swap flow ports when validating source") a kernel
 * with a reverse path filter took the neighbor's answers to this host's own dialling for what the rule is about.
 */
async function tryNeighbors(family: Family, neighbors: readonly GuardedNeighbor[]): Promise<void> {
  const asked = await batch(
    family,
    neighbors.map(({ address }) => `route get ${bare(address)}`),
    '-force',
  )
  const ways = new Map(
    asked.output.split('\n').flatMap((line) => {
      const [, address, iif, source] = /^(\S+) .*\bdev (\S+) .*\bsrc (\S+)/.exec(line) ?? []
      return address && iif && source ? [[`${iif} ${source}`, { address, iif, source }]] : []
    }),
  )
  if (ways.size === 0) return
  const rules = [...ways.values()].map(({ address }) => `rule add ${rule(address, TRIAL_PORT)}`)
  const ports = `ipproto tcp sport ${TRIAL_PORT} dport ${SOME_PORT}`
  const answers = [...ways.values()].map(
    ({ address, iif, source }) => `route get ${source} from ${address} iif ${iif} ${ports}`,
  )
  const through = await batch(family, [...rules, ...answers])
  if (through.code !== 0)
    throw unavailable(`it would also block the answers to BIRD's own connections (${said(through)})`)
  const closed = [...ways.values()].map(
    ({ address, source }) => `route get ${address} from ${source} ${ports}`,
  )
  const { output } = await batch(family, closed, '-force')
  if (output.trim() !== '') throw unavailable(`another rule takes precedence: ${output.trim()}`)
}

function rule(address: string, port: number): string {
  return `pref ${PREF} to ${bare(address)} ipproto tcp sport ${port} blackhole`
}

async function batch(family: Family, lines: readonly string[], ...options: string[]): Promise<IpRun> {
  return await runIp(
    'dial-guard-unavailable',
    [family, '-oneline', ...options, '-batch', '-'],
    `${lines.join('\n')}\n`,
  )
}

function byFamily(neighbors: readonly GuardedNeighbor[]): [Family, GuardedNeighbor[]][] {
  return FAMILIES.map((family): [Family, GuardedNeighbor[]] => [
    family,
    neighbors.filter(({ address }) => familyOf(address) === family),
  ]).filter(([, ofFamily]) => ofFamily.length > 0)
}

function familyOf(address: string): Family {
  return address.includes(':') ? '-6' : '-4'
}

function bare(address: string): string {
  return address.replace(/%.*/, '')
}

function said({ errors }: IpRun): string {
  return errors.trim().split('\n')[0] ?? ''
}

function unavailable(why: string): AgentError {
  return new AgentError(
    'dial-guard-unavailable',
    `cannot block connections from neighbors while BIRD restarts: ${why.trim()}`,
    { fix: 'set "passive on;" at one end of each session, or upgrade again if packets were lost' },
  )
}

function stillClosed(family: Family, errors: string, left: ClosedRule[] = []): AgentError {
  const named = left.length > 0 ? left : [{ address: 'ADDRESS', port: 'PORT' }]
  const commands = named.map(
    ({ address, port }) => `ip ${family} rule del pref ${PREF} to ${address} ipproto tcp sport ${port}`,
  )
  return new AgentError(
    'dial-guard-unavailable',
    `cannot unblock connections from neighbors: ${errors.trim().split('\n')[0] ?? ''}`,
    { fix: `${commands.join('; ')}; ip ${family} rule show lists what is left at ${PREF}` },
  )
}
