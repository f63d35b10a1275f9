import { statfs } from 'node:fs/promises'
import { get } from 'node:http'
import { connect } from 'node:net'
import type { Probe } from '../ports/probe.ts'

const DEADLINE_MS = 2_000

export function createProbe(): Probe {
  return { httpStatus, acceptsTcp, freeBytes }
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
