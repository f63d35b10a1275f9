// The agent as a program of its own, at a host that holds more, or something else, than it can take.

import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Problem } from '../../agent/core/errors.ts'
import { type Ended, NEW, OLD, type ProgramWorld, start, startProgramWorld } from './program.ts'

let world: ProgramWorld
beforeEach(async () => {
  world = await startProgramWorld()
})
afterEach(() => world.engine.close())

const run = (argv: string[], env = {}): Promise<Ended> =>
  start(world.argv(...argv), { ...world.env, ...env }).ended
const runsDir = (): string => join(world.engine.directory, 'state', 'runs')
const problemsOf = ({ stdout, stderr }: Ended): Problem[] => {
  expect(stdout, stderr).not.toBe('')
  return (JSON.parse(stdout) as { problems: Problem[] }).problems
}
const codesOf = (ended: Ended): string[] => problemsOf(ended).map(({ code }) => code)
const kills = (): string[] => world.docker.ops.filter((op) => op.startsWith('docker kill'))

it('a FIFO in the place of Docker’s config.json is refused, and the lock is free again', async () => {
  const directory = join(world.engine.directory, 'docker')
  await mkdir(directory)
  execFileSync('mkfifo', [join(directory, 'config.json')])
  const ended = await run(['upgrade', '--node', NEW, '--json'], { DOCKER_CONFIG: directory })
  expect(ended.code).toBe(3)
  expect(codesOf(ended)).toContain('docker-config-invalid')
  expect((await run(['upgrade', '--node', NEW, '--json'])).code).toBe(0)
})

it('a container with a label of megabytes is refused before anything is moved, and no journal is left', async () => {
  const old = (await world.docker.inspectContainer('calico-node'))?.Id ?? ''
  await world.docker.removeContainer(old)
  const id = await world.docker.createContainer('calico-node', {
    Image: OLD,
    Labels: { huge: 'x'.repeat(6_000_000) },
    Env: ['CALICO_NETWORKING_BACKEND=none', 'DATASTORE_TYPE=none', 'NODENAME=host-1'],
    HostConfig: { NetworkMode: 'host', Privileged: true, RestartPolicy: { Name: 'always' } },
  })
  await world.docker.startContainer(id)
  const ended = await run(['upgrade', '--node', NEW, '--json'])
  expect(ended.code).toBe(3)
  expect(codesOf(ended)).toContain('plan-too-large')
  expect(await readdir(runsDir())).toEqual([])
  expect(kills()).toEqual([])
  expect((await run(['history', '--json'])).code).toBe(0)
})

describe('a journal of a newer agent', () => {
  const changes: Record<string, (record: Record<string, unknown>) => void> = {
    'in a newer format': (record) => (record['v'] = 2),
    'with a record that is not known here': (record) => (record['type'] = 'rehearsed'),
    'of a step that is not known here': (record) => {
      const { steps } = (record['plan'] ?? { steps: [] }) as { steps: { kind: string }[] }
      for (const step of steps) step.kind = 'swap-felix'
    },
  }

  it.each(Object.keys(changes))('%s: each command says so, and touches nothing', async (how) => {
    expect((await run(['upgrade', '--node', NEW, '--json'])).code).toBe(0)
    const [name = ''] = await readdir(runsDir())
    const file = join(runsDir(), name)
    const text = changed(await readFile(file, 'utf8'), changes[how])
    await writeFile(file, text)
    const before = kills().length
    const looking = [['status'], ['resume']]
    const all = [...looking, ['rollback'], ['history'], ['gc'], ['upgrade', '--node', OLD]]
    for (const command of how === 'in a newer format' ? all : looking) {
      const ended = await run([...command, '--json'])
      expect(ended.code, command.join(' ')).toBe(3)
      expect(codesOf(ended), command.join(' ')).toEqual(['journal-newer'])
    }
    expect(kills()).toHaveLength(before)
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  function changed(text: string, change?: (record: Record<string, unknown>) => void): string {
    const lines = text.split('\n').filter((line) => line !== '')
    return lines
      .map((line) => {
        const record = JSON.parse(line.slice(9)) as Record<string, unknown>
        change?.(record)
        const json = JSON.stringify(record)
        return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`
      })
      .join('')
  }
})
