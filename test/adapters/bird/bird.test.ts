import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Exec } from '../../../agent/adapters/bird/ask-in-container.ts'
import { createBird } from '../../../agent/adapters/bird/bird.ts'
import { AgentError } from '../../../agent/core/errors.ts'
import { hang } from '../../lab/hang.ts'
import { killBird, startBird } from './real-bird.ts'

const peer = 'Mesh_192_0_2_9'
const greeting = '0001 BIRD 1.6.8 ready.\n'
const noExec: Exec = () => Promise.reject(new Error('not asked for'))

let dir: string
let running: Awaited<ReturnType<typeof startBird>>['process'][]
let servers: Server[]
let clients: Socket[]

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bird-'))
  running = []
  servers = []
  clients = []
})

afterEach(async () => {
  await Promise.all(running.map(killBird))
  clients.forEach((client) => client.destroy())
  servers.forEach((server) => server.close())
  await rm(dir, { recursive: true })
})

async function realBird() {
  const { socket, process } = await startBird(dir)
  running.push(process)
  return { socket, process }
}

/** Listens where BIRD would and does what the test says with each connection. */
async function fakeBird(onConnection: (socket: Socket) => void): Promise<string> {
  const path = join(dir, 'fake.ctl')
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return path
}

/** Connects until the kernel says that there is no room for one more. */
async function fillQueue(path: string): Promise<Socket[]> {
  const waiting: Socket[] = []
  for (;;) {
    const client = connect(path)
    try {
      await once(client, 'connect')
      // its BIRD is killed before it
      client.on('error', () => undefined)
      waiting.push(client)
    } catch (error) {
      expect(error).toMatchObject({ code: 'EAGAIN' })
      return waiting
    }
  }
}

function atHost(socket: string) {
  return { family: 4, socket, via: 'host' } as const
}

/** birdc stands in for birdcl, which Debian does not ship: both print replies with the same code (client.c). */
const execHere: Exec = (_container, [, ...args], timeout) =>
  new Promise((resolve) => {
    execFile('/usr/sbin/birdc', args, { timeout }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code) : 0, output: stdout + stderr })
    })
  })

describe.each([
  ['the socket', 'host', noExec],
  ['birdcl', 'exec', execHere],
] as const)('a real BIRD through %s', (_, via, exec) => {
  const bird = createBird(exec)

  it('ends its recovery when the dead peer is disabled, and takes it back', async () => {
    const { socket } = await realBird()
    const endpoint = { family: 4, socket, via } as const
    const before = await bird.look(endpoint, 'c1')
    expect(before).toMatchObject({
      state: 'up',
      recovering: true,
      sessions: [{ name: peer, disabled: false }],
    })
    if (before.state === 'up') expect(before.waitTimer).toMatch(/^2[34]\d\/240$/)

    await bird.disable(endpoint, 'c1', peer)
    await bird.disable(endpoint, 'c1', peer)
    const released = await bird.look(endpoint, 'c1')
    expect(released).toMatchObject({ recovering: false, sessions: [{ name: peer, disabled: true }] })

    await bird.enable(endpoint, 'c1', peer)
    await bird.enable(endpoint, 'c1', peer)
    expect(await bird.look(endpoint, 'c1')).toMatchObject({ sessions: [{ name: peer, disabled: false }] })
  })

  it('tells by the rows what it tells by the details, as far as they go', async () => {
    const { socket } = await realBird()
    const endpoint = { family: 4, socket, via } as const
    // a time may be printed a second later in one of two looks
    await vi.waitFor(async () => {
      const [details, rows] = [await bird.look(endpoint, 'c1'), await bird.look(endpoint, 'c1', 'rows')]
      if (details.state !== 'up' || rows.state !== 'up') throw new Error('BIRD does not answer')
      const sessions = details.sessions.map(({ name, established, info, since, disabled }) => {
        return { name, established, info, since, disabled, imported: null }
      })
      expect(sessions).toMatchObject([{ name: peer, info: 'Passive' }])
      expect(rows).toEqual({ ...details, waitTimer: rows.waitTimer, sessions })
    }, 10_000)
  })

  it('says what BIRD says about an unknown protocol', async () => {
    const { socket } = await realBird()
    await expect(bird.disable({ family: 4, socket, via }, 'c1', 'nosuch')).rejects.toThrow(
      'cannot run "disable" in BIRD: nosuch is not a protocol',
    )
  })

  it('is down when it was killed and left its socket', async () => {
    const { socket, process } = await realBird()
    await killBird(process)
    expect(await bird.look({ family: 4, socket, via }, 'c1')).toEqual({ state: 'down' })
    await expect(bird.enable({ family: 4, socket, via }, 'c1', peer)).rejects.toThrow(/nothing listens/)
  })

  it('is down when there is no socket', async () => {
    expect(await bird.look({ family: 4, socket: join(dir, 'none.ctl'), via }, 'c1')).toEqual({
      state: 'down',
    })
  })
})

describe('a real BIRD that hangs', () => {
  it('is silent after the deadline, not down', async () => {
    const { socket, process } = await realBird()
    await hang(process.pid)
    const started = performance.now()
    expect(await createBird(noExec).look(atHost(socket), 'c1')).toEqual({ state: 'silent' })
    expect(performance.now() - started).toBeGreaterThan(1_900)
  })
})

describe('a real BIRD whose queue of clients is full', () => {
  const bird = createBird(noExec)

  async function busyBird() {
    const { socket, process } = await realBird()
    await hang(process.pid)
    clients = await fillQueue(socket)
    return { socket, process }
  }

  it('is asked again until it has room', async () => {
    const { socket, process } = await busyBird()
    const look = bird.look(atHost(socket), 'c1')
    setTimeout(() => process.kill('SIGCONT'), 50)
    expect(await look).toMatchObject({ state: 'up', sessions: [{ name: peer }] })
  })

  it('is silent where it stays full, not down', async () => {
    const { socket } = await busyBird()
    expect(await bird.look(atHost(socket), 'c1')).toEqual({ state: 'silent' })
    expect(await bird.socketState(socket)).toBe('listening')
  })
})

describe('the instance of a real BIRD', () => {
  const instance = async (socket: string): Promise<string | null> => {
    const view = await createBird(noExec).look(atHost(socket), 'c1', 'rows')
    return view.state === 'up' ? view.instance : null
  }

  it('stays from look to look, and changes when it starts again', async () => {
    const { socket, process } = await realBird()
    const before = await instance(socket)
    expect(before).toMatch(/^\d+:\d+:\d+$/)
    expect(await instance(socket)).toBe(before)
    await killBird(process)
    await realBird()
    expect(await instance(socket)).not.toBe(before)
  })
})

describe('what listens and is not a healthy BIRD', () => {
  const bird = createBird(noExec)

  it('is silent in the middle of a reply', async () => {
    const path = await fakeBird((socket) => socket.write(`${greeting}1000-BIRD 1.6.8\n1011-Rou`))
    expect(await bird.look(atHost(path), 'c1')).toEqual({ state: 'silent' })
  })

  it.each([
    ['before the greeting', ''],
    ['in the middle of a reply', `${greeting}1000-BIRD 1.6.8\n1011-Rou`],
  ])('is down when it closes %s', async (_, text) => {
    const path = await fakeBird((socket) => socket.end(text))
    expect(await bird.look(atHost(path), 'c1')).toEqual({ state: 'down' })
  })

  it('is no BIRD when it speaks something else', async () => {
    const path = await fakeBird((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await expect(bird.look(atHost(path), 'c1')).rejects.toMatchObject({ code: 'bird-reply-invalid' })
  })

  it('reads a reply that comes byte by byte', async () => {
    const status = '1011-Last reboot on 2026-11-23 10:50:50\n0013 Daemon is up and running\n'
    const path = await fakeBird((socket) => {
      socket.setNoDelay(true)
      let asked = 0
      socket.on('data', () => {
        asked += 1
        for (const byte of asked === 1 ? status : '0000 \n') socket.write(byte)
      })
      for (const byte of greeting) socket.write(byte)
    })
    expect(await bird.look(atHost(path), 'c1')).toMatchObject({ state: 'up', sessions: [] })
  })

  it('sends no name that could be more than a name', async () => {
    await expect(bird.disable(atHost('/nowhere'), 'c1', "a'\ndown")).rejects.toThrow(/no such name/)
  })
})

describe('birdcl in the container', () => {
  const endpoint = { family: 4, socket: '/var/run/calico/bird.ctl', via: 'exec' } as const

  it('is asked with its reply codes shown', async () => {
    const asked: string[][] = []
    const bird = createBird((_, argv) => {
      asked.push(argv)
      return Promise.resolve({ exitCode: 1, output: 'Unable to connect to server control socket' })
    })
    await bird.look(endpoint, 'c1')
    expect(asked).toEqual([['birdcl', '-v', '-s', '/var/run/calico/bird.ctl', 'show', 'status']])
  })

  it('tells nothing about BIRD when it could not be run', async () => {
    const unreachable = new AgentError('docker-unreachable', 'cannot reach Docker', { fix: 'start it' })
    expect(await createBird(() => Promise.reject(unreachable)).look(endpoint, 'c1')).toEqual({
      state: 'silent',
    })
  })

  it('tells nothing about BIRD when the image has no birdcl', async () => {
    const output = 'OCI runtime exec failed: exec: "birdcl": executable file not found in $PATH'
    const bird = createBird(() => Promise.resolve({ exitCode: 126, output }))
    expect(await bird.look(endpoint, 'c1')).toEqual({ state: 'silent' })
    await expect(bird.disable(endpoint, 'c1', peer)).rejects.toMatchObject({ code: 'bird-unreachable' })
  })
})

describe('socketState', () => {
  const bird = createBird(noExec)

  it('knows a live socket, and a dead one by its refusal', async () => {
    const { socket, process } = await realBird()
    expect(await bird.socketState(socket)).toBe('listening')
    await killBird(process)
    expect(await bird.socketState(socket)).toBe('dead')
  })

  it('knows what is no socket', async () => {
    const path = (name: string) => join(dir, name)
    await writeFile(path('file'), '')
    await mkdir(path('directory'))
    await symlink(path('file'), path('link'))
    await expect(bird.socketState(path('file'))).resolves.toBe('file')
    await expect(bird.socketState(path('directory'))).resolves.toBe('file')
    await expect(bird.socketState(path('link'))).resolves.toBe('symlink')
    await expect(bird.socketState(path('none'))).resolves.toBe('missing')
    await expect(bird.socketState(path('file/none'))).resolves.toBe('missing')
    await expect(bird.socketState('/dev/null')).resolves.toBe('file')
  })

  it('follows links in the parents, as /var/run is one', async () => {
    const { socket } = await realBird()
    await symlink(dir, join(dir, 'run'))
    await expect(bird.socketState(socket.replace(dir, join(dir, 'run')))).resolves.toBe('listening')
  })
})
