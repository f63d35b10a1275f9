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
const UNREACHABLE = ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ENONET']

async function reach(address: string, port: number): Promise<Reach> {
  await askNeighborAgain(address).catch(() => undefined)
  return await new Promise((resolve) => {
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
      settle(UNREACHABLE.includes(code) ? 'unreachable' : code === 'ECONNREFUSED' ? 'refuses' : 'silent')
    })
  })
}

/**
 * A neighbor that spoke a moment ago counts as reachable for up to 45 s. The kernel is made to ask for it once more: one
 * that is there answers at once.
 */
async function askNeighborAgain(address: string): Promise<void> {
  const family = address.includes(':') ? '-6' : '-4'
  const { output } = await runIp('unreachable', [family, 'route', 'get', address])
  const device = /\bdev (\S+)/.exec(output)?.[1]
  if (device === undefined || /\bvia\b/.test(output)) return
  await runIp('unreachable', [family, 'neighbor', 'change', address, 'dev', device, 'nud', 'probe'])
}

async function freeBytes(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch {
    return null
  }
}
