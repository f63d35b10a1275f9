import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { get, type RequestOptions, request } from 'node:http'
import { connect, createServer } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { json, type Pages, plain } from '../../agent/service/http.ts'
import { Listeners } from '../../agent/service/listeners.ts'
import { freePort } from '../lab/free-port.ts'

const pages: Pages = {
  '/healthz': () => Promise.resolve(plain(200, 'ok')),
  '/status': () => Promise.resolve(json({ a: 1 })),
  '/broken': () => Promise.reject(new Error('it broke')),
}

let dir: string
let doors: Listeners
const socket = (name = 'agent.sock'): string => join(dir, 'run', name)

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'http-'))
  doors = new Listeners(() => pages)
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
        message: expect.stringContaining(`cannot listen on ${socket(name)}: `) as unknown,
      })
    }
    expect(await readFile(socket('file'), 'utf8')).toBe('precious')
    expect(await readlink(socket('link'))).toBe(socket('file'))
    expect((await stat(socket('directory'))).isDirectory()).toBe(true)
  })

  it('is not taken from another service', async () => {
    await doors.openAt({ socket: socket() })
    const other = new Listeners(() => pages)
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

describe('a listener that anybody may reach', () => {
  let port: number
  beforeEach(async () => {
    port = await freePort()
    await doors.openAt({ socket: socket(), listen: `127.0.0.1:${port}` })
  })

  function asked(options: RequestOptions = {}): Promise<number> {
    return new Promise((resolve, reject) => {
      request({ port, host: '127.0.0.1', path: '/healthz', agent: false, ...options }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
        .on('error', reject)
        .end()
    })
  }

  it('answers although many others send slowly, or nothing', async () => {
    const slow = Array.from({ length: 80 }, () => connect(port, '127.0.0.1'))
    try {
      for (const one of slow) {
        one.on('error', () => undefined)
        await once(one, 'connect')
        one.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')
      }
      expect(await asked()).toBe(200)
    } finally {
      for (const one of slow) one.destroy()
    }
  })

  it('lets go of nobody whose request is at work', async () => {
    let answerNow: () => void = () => undefined
    const working = new Promise<void>((resolve) => (answerNow = resolve))
    pages['/slow'] = async () => {
      await working
      return plain(200, 'done')
    }
    const first = asked({ path: '/slow' })
    const idle = Array.from({ length: 80 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
    await Promise.all(idle.map((one) => once(one, 'connect')))
    expect(await asked()).toBe(200)
    answerNow()
    expect(await first).toBe(200)
    for (const one of idle) one.destroy()
  })

  it.each(['GET /healthz', 'POST /healthz', 'GET /no'])('reads no body without an end: %s', async (line) => {
    const client = connect(port, '127.0.0.1').on('error', () => undefined)
    let sent = 0
    const send = (): void => {
      while (!client.destroyed && client.write('10000\r\n'.padEnd(65_543, 'x') + '\r\n')) sent += 65_536
    }
    client.write(`${line} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n`)
    client.on('drain', send)
    send()
    await new Promise((resolve) => client.once('close', resolve))
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })

  it.each([
    ['127.0.0.1', 200],
    ['127.0.0.1:9099', 200],
    ['[::1]:9099', 200],
    ['localhost', 200],
    [hostname(), 200],
    [`${hostname().split('.')[0] ?? ''}.example.com:9099`, 200],
    ['rebound.example.com', 421],
    ['127.0.0.1.example.com', 421],
  ])('that is asked as %j answers %d: a name of somebody else’s may lead here', async (host, status) => {
    expect(await asked({ headers: { host } })).toBe(status)
  })

  it('may be asked as anything at the socket', async () => {
    expect(await ask('/healthz')).toBe('200 ok')
  })
})
