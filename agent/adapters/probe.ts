import { statfs } from 'node:fs/promises'
import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Probe } from '../ports/probe.ts'

const DEADLINE_MS = 2_000

export function createProbe(): Probe {
  return { httpStatus, acceptsTcp, freeBytes }
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

async function acceptsTcp(address: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: DEADLINE_MS })
    const settle = (accepted: boolean): void => {
      socket.destroy()
      resolve(accepted)
    }
    socket.on('connect', () => {
      settle(true)
    })
    socket.on('timeout', () => {
      settle(false)
    })
    socket.on('error', () => {
      settle(false)
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
