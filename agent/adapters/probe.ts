import { statfs } from 'node:fs/promises'
import { get } from 'node:http'
import { connect } from 'node:net'
import type { Probe, Reach } from '../ports/probe.ts'

const DEADLINE_MS = 2_000

export function createProbe(): Probe {
  return { httpStatus, reach, freeBytes }
}

async function httpStatus(url: string): Promise<number | null> {
  return await new Promise((resolve) => {
    const request = get(url, { timeout: DEADLINE_MS, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? null)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => {
      resolve(null)
    })
  })
}

/** The kernel finds out within some 3 s that nobody answers for an address on the wire. */
const REACH_DEADLINE_MS = 5_000
const UNREACHABLE = ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ENONET']

async function reach(address: string, port: number): Promise<Reach> {
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

async function freeBytes(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch {
    return null
  }
}
