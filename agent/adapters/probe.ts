import { statfs } from 'node:fs/promises'
import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Probe, Reach } from '../ports/probe.ts'
import { runIp } from './ip.ts'

const DEADLINE_MS = 2_000

export function createProbe(): Probe {
  return { httpStatus, reach, freeBytes }
}

/**
 * The status, and nothing behind it: no body is read, no redirect followed, and who answers with an upgrade has answered.
 * One deadline for all of it: whoever sends a byte a second, or `100 Continue` without end, is not waited for.
 */
async function httpStatus(url: string): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>()
  const nothing = (): void => {
    resolve(null)
  }
  const answered = ({ statusCode }: IncomingMessage): void => {
    resolve(statusCode ?? null)
  }
  const timer = setTimeout(nothing, DEADLINE_MS)
  let request: ClientRequest | undefined
  try {
    request = get(url, { agent: false })
    request.on('response', answered).on('error', nothing).on('close', nothing)
    request.on('upgrade', (response, socket) => {
      socket.destroy()
      answered(response)
    })
    return await promise
  } catch {
    // no URL
    return null
  } finally {
    clearTimeout(timer)
    request?.destroy()
  }
}

/** The kernel finds out within 3 s that nobody answers for an address. */
const REACH_DEADLINE_MS = 4_000
/** From this kernel, or from somebody's ICMP: a router's, or a living host's that rejects by its filter. */
const MAYBE_UNREACHABLE = ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ENONET']

async function reach(address: string, port: number): Promise<Reach> {
  await askNeighborAgain(address).catch(() => undefined)
  const answer = await attempt(address, port)
  if (answer !== 'unreachable') return answer
  const isGone = await isUnreachable(address).catch(() => false)
  return isGone ? 'unreachable' : 'silent'
}

function attempt(address: string, port: number): Promise<Reach> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port })
    const settle = (answer: Reach): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => {
      settle('silent')
    }, REACH_DEADLINE_MS)
    socket.on('connect', () => {
      settle('accepts')
    })
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      settle(
        MAYBE_UNREACHABLE.includes(code) ? 'unreachable' : code === 'ECONNREFUSED' ? 'refuses' : 'silent',
      )
    })
  })
}

/**
 * A neighbor that spoke a moment ago counts as reachable for up to 45 s. The kernel is made to ask for it once more: one
 * that is there answers at once. What an operator set for good is left alone.
 */
async function askNeighborAgain(address: string): Promise<void> {
  const way = await wayTo(address)
  if (way === null || way === 'none' || way.isGateway) return
  const { hop, device } = way
  if (!/\b(REACHABLE|STALE|DELAY)\b/.test(await neighborEntry(way))) return
  await runIp('unreachable', [familyOf(hop), 'neighbor', 'change', hop, 'dev', device, 'nud', 'probe'])
}

/**
 * By what this kernel knows: no route, or a next hop that does not answer for its address. The errno alone cannot tell a
 * host that is gone from one that rejects (`icmp-host-prohibited`), nor from what a router says of it.
 */
async function isUnreachable(address: string): Promise<boolean> {
  const way = await wayTo(address)
  if (way === null || way === 'none') return way === 'none'
  return /\b(FAILED|INCOMPLETE)\b/.test(await neighborEntry(way))
}

interface Way {
  /** The host itself, or the gateway to it. */
  hop: string
  isGateway: boolean
  device: string
}

/** `none` where this kernel has no route, or one that leads nowhere; null where that cannot be told. */
async function wayTo(address: string): Promise<Way | 'none' | null> {
  const [bare = '', zone] = address.split('%')
  const from = zone === undefined ? [] : ['oif', zone]
  const { code, output, errors } = await runIp('unreachable', [familyOf(bare), 'route', 'get', bare, ...from])
  // IPv6 shows a route that leads nowhere, IPv4 fails by it
  if (/^(unreachable|prohibit|blackhole)\b/.test(output)) return 'none'
  if (code !== 0) return /^RTNETLINK answers: .*(unreachable|No route|denied)/m.test(errors) ? 'none' : null
  const device = /\bdev (\S+)/.exec(output)?.[1]
  const gateway = /\bvia (?:inet6? )?(\S+)/.exec(output)?.[1]
  return device === undefined ? null : { hop: gateway ?? bare, isGateway: gateway !== undefined, device }
}

async function neighborEntry({ hop, device }: Way): Promise<string> {
  const { output } = await runIp('unreachable', [familyOf(hop), 'neighbor', 'show', hop, 'dev', device])
  return output
}

function familyOf(address: string): string {
  return address.includes(':') ? '-6' : '-4'
}

async function freeBytes(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch {
    return null
  }
}
