import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { acquireHostLock, hostLockHolder } from '../../agent/adapters/host-lock/host-lock.ts'
import type { AgentError } from '../../agent/core/errors.ts'

let dir: string
let children: ChildProcess[]
let grandchildren: number[]

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lock-'))
  children = []
  grandchildren = []
})

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const pid of grandchildren) process.kill(pid, 'SIGKILL')
  await rm(dir, { recursive: true })
})

/** Another agent; resolves with its first line. */
async function another(): Promise<{ said: string; child: ChildProcess }> {
  const program = fileURLToPath(new URL('lock-holder.ts', import.meta.url))
  const child = spawn(process.execPath, [program, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [data] = (await once(child.stdout, 'data')) as [Buffer]
  const said = data.toString().trim()
  const grandchild = /^locked (\d+)$/.exec(said)?.[1]
  if (grandchild !== undefined) grandchildren.push(Number(grandchild))
  return { said, child }
}

/** What the command says that the refusal advises; processes that end meanwhile make find fail. */
function advised(refused: unknown): string {
  const [command = ''] = /find .+(?= shows the process$)/.exec((refused as AgentError).fix) ?? []
  return spawnSync('sh', ['-c', command], { encoding: 'utf8' }).stdout
}

describe('acquireHostLock', () => {
  it('refuses a second agent and names the first', async () => {
    const { child } = await another()
    await expect(acquireHostLock(dir, 'upgrade')).rejects.toMatchObject({
      code: 'locked',
      exitCode: 75,
      message: `cannot start: this host is locked by pid ${child.pid ?? 0}, calico-agent upgrade`,
    })
  })

  it('names a holder of 0.1.0, which calls itself agent in its lock', async () => {
    const { child } = await another()
    await writeFile(join(dir, 'lock'), `pid ${child.pid ?? 0}, agent upgrade\n`)
    await expect(acquireHostLock(dir, 'upgrade')).rejects.toMatchObject({
      message: `cannot start: this host is locked by pid ${child.pid ?? 0}, calico-agent upgrade`,
    })
  })

  it('advises a command that shows who has the lock, also through a link', async () => {
    const { child } = await another()
    const link = join(dir, 'link')
    await symlink(dir, link)
    const refusal = await acquireHostLock(link, 'upgrade').catch((error: unknown) => error)
    expect(advised(refusal)).toContain(`/proc/${child.pid ?? 0}/fd/`)
  })

  it('is free when the holder is killed, though a child of it lives on', async () => {
    const { child } = await another()
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(() => process.kill(grandchildren[0] ?? 0, 0)).not.toThrow()
    const lock = await acquireHostLock(dir, 'resume')
    lock.release()
  })

  it('is free after release', async () => {
    const lock = await acquireHostLock(dir, 'upgrade')
    expect(await readFile(join(dir, 'lock'), 'utf8')).toBe(`pid ${process.pid}, calico-agent upgrade\n`)
    expect((await stat(join(dir, 'lock'))).mode & 0o777).toBe(0o600)
    expect((await another()).said).toMatch(/^refused .*calico-agent upgrade$/)
    lock.release()
    expect((await another()).said).toMatch(/^locked/)
  })

  it('lets one of many in', async () => {
    const said = await Promise.all(Array.from({ length: 8 }, async () => (await another()).said))
    expect(said.filter((line) => line.startsWith('locked'))).toHaveLength(1)
    expect(
      said.filter((line) => line.startsWith('refused cannot start: this host is locked by')),
    ).toHaveLength(7)
  })

  it('does not follow a symlink', async () => {
    await symlink('/etc/hostname', join(dir, 'lock'))
    await expect(acquireHostLock(dir, 'upgrade')).rejects.toMatchObject({
      code: 'lock-unusable',
    })
  })

  it('refuses a FIFO', async () => {
    execFileSync('mkfifo', [join(dir, 'lock')])
    await expect(acquireHostLock(dir, 'resume')).rejects.toMatchObject({
      code: 'lock-unusable',
      message: `cannot lock ${dir}/lock: it is not a regular file`,
    })
  })
})

describe('hostLockHolder', () => {
  it('names whoever holds the lock, this process too', async () => {
    expect(await hostLockHolder(dir)).toBeNull()
    const lock = await acquireHostLock(dir, 'daemon (upgrade)')
    expect(await hostLockHolder(dir)).toEqual({ pid: process.pid, command: 'daemon (upgrade)' })
    lock.release()
    expect(await hostLockHolder(dir)).toBeNull()
    const { child } = await another()
    expect(await hostLockHolder(dir)).toEqual({ pid: child.pid, command: 'upgrade' })
  })

  it('keeps no agent from starting', async () => {
    const starting = async () => {
      for (let i = 0; i < 20; i++) (await acquireHostLock(dir, 'upgrade')).release()
    }
    const looking = async () => {
      for (let i = 0; i < 20; i++) await hostLockHolder(dir)
    }
    await Promise.all([starting(), looking(), looking()])
  })
})

describe('the lock that all agents of a host share', () => {
  it('refuses an agent with another state directory, and names the first', async () => {
    const [one, other, directory] = [join(dir, 'one'), join(dir, 'other'), join(dir, 'bird')]
    const shared = { directory, holder: join(dir, 'run', 'holder') }
    await Promise.all([one, other, directory].map((path) => mkdir(path)))
    const lock = await acquireHostLock(one, 'upgrade', shared)
    await expect(acquireHostLock(other, 'resume', shared)).rejects.toMatchObject({
      code: 'locked',
      exitCode: 75,
      message: `cannot start: this host is locked by pid ${process.pid}, calico-agent upgrade --state-dir ${one}`,
    })
    const holder = { pid: process.pid, command: `upgrade --state-dir ${one}` }
    expect(await hostLockHolder(other, shared)).toEqual(holder)
    lock.release()
    const next = await acquireHostLock(other, 'resume', shared)
    next.release()
    // the refused one has left its own lock free
    expect(await hostLockHolder(other, shared)).toBeNull()
  })

  it('holds where nothing can be written', async () => {
    const [one, other] = [join(dir, 'one'), join(dir, 'other')]
    const shared = { directory: '/proc/self/task', holder: '/proc/self/holder' }
    await Promise.all([mkdir(one), mkdir(other)])
    const lock = await acquireHostLock(one, 'upgrade', shared)
    await expect(acquireHostLock(other, 'resume', shared)).rejects.toMatchObject({
      code: 'locked',
      message: 'cannot start: this host is locked by another agent',
    })
    lock.release()
  })

  it('keeps no agent from a host that has no Calico yet', async () => {
    const shared = { directory: join(dir, 'none'), holder: join(dir, 'holder') }
    const lock = await acquireHostLock(dir, 'resume', shared)
    expect(await hostLockHolder(dir, shared)).toEqual({ pid: process.pid, command: 'resume' })
    lock.release()
  })
})
