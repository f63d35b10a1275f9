import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { get, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Doors } from '../../agent/service/doors.ts'
import { json, type Pages, plain } from '../../agent/service/http.ts'

const pages: Pages = {
  '/healthz': () => Promise.resolve(plain(200, 'ok')),
  '/status': () => Promise.resolve(json({ a: 1 })),
  '/broken': () => Promise.reject(new Error('it broke')),
}

let dir: string
let doors: Doors
const socket = (name = 'agent.sock'): string => join(dir, 'run', name)

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'http-'))
  doors = new Doors(() => pages)
})
afterEach(async () => {
  await doors.close()
  await rm(dir, { recursive: true })
})

function ask(path: string, { at = socket(), method = 'GET' } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath: at, path, method }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => {
        resolve(`${response.statusCode ?? 0} ${text.trim()}`)
      })
    })
      .on('error', reject)
      .end()
  })
}

describe('the service’s socket', () => {
  it('is root’s alone, and answers what it has', async () => {
    await doors.openAt({ socket: socket() })
    const [file, directory] = await Promise.all([stat(socket()), stat(join(dir, 'run'))])
    expect([file.mode & 0o777, directory.mode & 0o777]).toEqual([0o600, 0o700])
    expect(await ask('/healthz')).toBe('200 ok')
    expect(await ask('/status?x=1')).toBe('200 {"a":1}')
    expect(await ask('/nothing')).toMatch(/^404 /)
    expect(await ask('/constructor')).toMatch(/^404 /)
    expect(await ask('/status', { method: 'POST' })).toMatch(/^405 /)
    expect(await ask('/broken')).toBe('500 it broke')
    expect(await ask('//')).toMatch(/^404 /)
  })

  it('takes the place of a socket that nobody listens at', async () => {
    const killed = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 9))`
    await mkdir(join(dir, 'run'))
    spawnSync(process.execPath, ['-e', killed, socket()])
    expect((await stat(socket())).isSocket()).toBe(true)
    await doors.openAt({ socket: socket() })
    expect(await ask('/healthz')).toBe('200 ok')
  })

  it('takes the place of nothing else', async () => {
    await mkdir(socket('directory'), { recursive: true })
    await writeFile(socket('file'), 'precious')
    await symlink(socket('file'), socket('link'))
    for (const name of ['directory', 'file', 'link', 'file/agent.sock', `${'long'.repeat(30)}.sock`]) {
      await expect(doors.openAt({ socket: socket(name) }), name).rejects.toMatchObject({
        code: 'cannot-serve',
        message: expect.stringContaining(`cannot serve at ${socket(name)}: `) as unknown,
      })
    }
    expect(await readFile(socket('file'), 'utf8')).toBe('precious')
    expect(await readlink(socket('link'))).toBe(socket('file'))
    expect((await stat(socket('directory'))).isDirectory()).toBe(true)
  })

  it('is not taken from another service', async () => {
    await doors.openAt({ socket: socket() })
    const other = new Doors(() => pages)
    await expect(other.openAt({ socket: socket() })).rejects.toMatchObject({
      code: 'already-serving',
      exitCode: 75,
    })
    expect(await ask('/healthz')).toBe('200 ok')
  })

  it('moves with the config, and TCP is there only while it is asked for', async () => {
    const port = await freePort()
    const tcp = (): Promise<number> =>
      new Promise((resolve) => {
        get(`http://127.0.0.1:${port}/healthz`, ({ statusCode }) => {
          resolve(statusCode ?? 0)
        }).on('error', () => {
          resolve(0)
        })
      })
    await doors.openAt({ socket: socket() })
    expect(await tcp()).toBe(0)
    await doors.openAt({ socket: socket(), listen: `127.0.0.1:${port}` })
    expect(await tcp()).toBe(200)
    await doors.openAt({ socket: socket('other.sock') })
    expect(await tcp()).toBe(0)
    expect(await ask('/healthz', { at: socket('other.sock') })).toBe('200 ok')
    await expect(ask('/healthz')).rejects.toThrow()
  })

  it('is there although the TCP address is taken, which is said', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    await expect(doors.openAt({ socket: socket(), listen: `127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'cannot-serve',
      message: expect.stringContaining(`127.0.0.1:${port}`) as unknown,
    })
    expect(await ask('/healthz')).toBe('200 ok')
    taken.close()
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
