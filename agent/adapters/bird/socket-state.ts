import { lstat, realpath, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import type { SocketState } from '../../ports/bird.ts'
import { isErrno } from './errno.ts'

export async function socketState(path: string): Promise<SocketState> {
  try {
    const stats = await lstat(path)
    if (stats.isSymbolicLink()) return 'symlink'
    if (!stats.isSocket()) return 'file'
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'missing'
    throw error
  }
  return (await accepts(path)) ? 'listening' : 'dead'
}

/** Only a refusal shows that nothing listens; a BIRD that is too busy to accept is there. */
async function accepts(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(path, () => {
    resolve(true)
  })
  socket.on('error', (error) => {
    resolve(!isErrno(error, 'ECONNREFUSED'))
  })
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

/** Inode and change time: BIRD creates the socket again at each start. */
export async function socketIdentity(path: string): Promise<string | null> {
  const stats = await stat(path, { bigint: true }).catch(() => null)
  return stats && `${stats.dev}:${stats.ino}:${stats.ctimeNs}`
}

/** What cannot be resolved stays as it is. */
export async function realPath(path: string): Promise<string> {
  return await realpath(path).catch(() => path)
}
