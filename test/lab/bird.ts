import { createConnection } from 'node:net'

/** `state` is the BGP state: Established, Connect, Active, Idle ... */
export type BirdSession = { name: string; state: string; info: string; since: string }

/**
 * Asks BIRD over its socket. Resolves to the raw lines of the reply without the greeting. A reply ends with a line
 * "NNNN text"; "NNNN-text" and " text" go on. Codes from 8000 are errors.
 */
export function askBird(socketPath: string, command: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath)
    let text = ''
    socket
      .setEncoding('utf8')
      .setTimeout(20_000, () => socket.destroy(new Error('cannot ask BIRD: no answer in 20 s')))
    socket.on('error', reject)
    socket.on('close', () => {
      reject(new Error('cannot ask BIRD: it closed the connection'))
    })
    socket.on('connect', () => socket.write(`${command}\n`))
    socket.on('data', (chunk: string) => {
      text += chunk
      const lines = text
        .split('\n')
        .slice(0, -1)
        .filter((line) => !line.startsWith('0001 '))
      const last = lines.at(-1) ?? ''
      if (!/^\d{4} /.test(last)) return
      socket.destroy()
      if (/^[89]/.test(last)) reject(new Error(`cannot ask BIRD: ${command}: ${last}`))
      else resolve(lines)
    })
  })
}

/** The BGP sessions of `show protocols`. */
export async function birdSessions(socketPath: string): Promise<BirdSession[]> {
  const lines = await askBird(socketPath, 'show protocols')
  return lines.flatMap((line) => {
    const [name, proto, , , since = '', ...info] = line.replace(/^(\d{4}-| )/, '').split(/\s+/)
    if (name === undefined || proto !== 'BGP') return []
    return [{ name, state: info[0] ?? '', info: info.slice(1).join(' '), since }]
  })
}

/** True while BIRD withholds its routes because it waits for its peers' End-of-RIB. */
export async function birdRecovering(socketPath: string): Promise<boolean> {
  const lines = await askBird(socketPath, 'show status')
  return lines.some((line) => line.startsWith('0024'))
}

/** When this very BIRD was started, in its own words; empty where it does not say. */
export async function birdBootedAt(socketPath: string): Promise<string> {
  const lines = await askBird(socketPath, 'show status')
  return lines.flatMap((line) => /Last reboot on (.*)/.exec(line)?.[1] ?? [])[0] ?? ''
}

export const sessionName = (address: string): string => `Mesh_${address.replaceAll(/[.:]/g, '_')}`
