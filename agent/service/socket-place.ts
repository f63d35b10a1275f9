import { lstat } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { ensureDir, remove } from 'fs-extra/esm'
import { AgentError, ExitCode } from '../core/errors.ts'

/**
 * Makes room for a socket at `path`: removes what a killed service left there, and never anything else.
 * @throws AgentError `already-serving` if something listens there; any other reason unchanged
 */
export async function clearPlace(path: string): Promise<void> {
  await ensureDir(dirname(path), 0o700)
  const found = await lstat(path).catch(nothingThere)
  if (found === null) return
  if (!found.isSocket()) throw new Error('the existing file is not a socket, and stays as it is')
  const refusal = await refusalOf(path)
  if (refusal === null) throw alreadyServing(path)
  if (refusal.code !== 'ECONNREFUSED') throw refusal
  await remove(path)
}

function nothingThere(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}

/** Why no one answers at the socket; null if something does. */
function refusalOf(path: string): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const end = (refusal: NodeJS.ErrnoException | null): void => {
      socket.destroy()
      resolve(refusal)
    }
    socket
      .once('connect', () => {
        end(null)
      })
      .once('error', end)
  })
}

function alreadyServing(path: string): AgentError {
  return new AgentError('already-serving', `cannot listen on ${path}: another calico-agent daemon uses it`, {
    fix: 'systemctl status calico-agent shows it; or set another path with service.socket in the config',
    exitCode: ExitCode.deferred,
  })
}
