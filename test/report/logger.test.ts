import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AgentEvent } from '../../agent/core/events.ts'
import { logEvents } from '../../agent/report/log-events.ts'
import { createLogger, type Logger } from '../../agent/report/logger.ts'
import { badEnd, begin, goodEnd, pull, RUN, SECRET, SECRET_URL, standing, swapping } from './samples.ts'

function capture(journald = false): { logger: Logger; lines: string[] } {
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  return { logger: createLogger({ level: 'debug', journald, stream }), lines }
}

function recordsOf(events: AgentEvent[]): Record<string, unknown>[] {
  const { logger, lines } = capture()
  const emit = logEvents(logger)
  for (const event of events) emit(event)
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('createLogger', () => {
  it('puts the syslog priority before each line of the journal', () => {
    const { logger, lines } = capture(true)
    for (const level of ['debug', 'info', 'warn', 'error', 'fatal'] as const) logger[level]('x')
    expect(lines.map((line) => line.slice(0, 4))).toEqual(['<7>{', '<6>{', '<4>{', '<3>{', '<2>{'])
  })

  it('writes one line of JSON, whatever the message holds', () => {
    const { logger, lines } = capture()
    logger.info({ a: 1 }, 'two\nlines "quoted"')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^[^\n]+\n$/)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', a: 1, msg: 'two\nlines "quoted"' })
  })

  it('hides secrets in messages, fields, children and stacks', () => {
    const { logger, lines } = capture()
    logger
      .child({ at: SECRET_URL })
      .warn({ etcd_password: SECRET, deep: [{ url: SECRET_URL }] }, `see ${SECRET_URL}`)
    logger.error(new Error(`cannot reach ${SECRET_URL}`, { cause: new Error(SECRET_URL) }))
    expect(lines.join('')).not.toContain(SECRET)
    expect(lines.join('')).toContain('https://<redacted>@etcd.example:2379')
  })

  it('survives a stderr that takes nothing', () => {
    const full = openSync('/dev/full', 'w')
    const module = new URL('../../agent/report/logger.ts', import.meta.url)
    const script = `const { createLogger } = await import('${module.href}')
      for (let i = 0; i < 3; i++) createLogger({ level: 'info', journald: false }).info('x')
      setTimeout(() => process.stdout.write('alive'), 20)`
    const node = new URL('../../node_modules/.bin/node', import.meta.url).pathname
    const { stdout } = spawnSync(node, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', full],
    })
    closeSync(full)
    expect(stdout.toString()).toBe('alive')
  })
})

describe('logEvents', () => {
  it('warns of a registry that is asked again', () => {
    const wait = { type: 'look-up', image: 'calico/node:v2', limitMs: 30_000 } as const
    const records = recordsOf([wait, { ...wait, retry: { attempt: 1, reason: 'i/o timeout' } }])
    expect(records).toMatchObject([
      { level: 'info', event: 'look-up', image: 'calico/node:v2' },
      { level: 'warn', event: 'look-up', msg: 'try 1 failed: i/o timeout' },
    ])
  })

  beforeEach(() => {
    vi.useFakeTimers({ now: 0 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('logs each event once, at its level, with the run', () => {
    const records = recordsOf([...swapping.slice(0, 2), ...goodEnd.slice(0, 5), ...badEnd.slice(0, 3)])
    expect(
      records.map(({ level, msg }) => `${String(level)} ${String(msg)}`).join('\n'),
    ).toMatchInlineSnapshot(`
      "info run 20261122T141503Z-7f3a starts
      info step 1 of 3, pull-image: doing
      info bird-up after 131 ms
      info sessions-back after 3904 ms
      warn released dead peers: Mesh_dead
      info recovered after 4100 ms
      info enabled released peers again: Mesh_dead
      error step 2 of 3, swap-container: failed: cannot keep the new container: it exited, see https://<redacted>@etcd.example:2379
      warn rolling back: cannot keep the new container: it exited, see https://<redacted>@etcd.example:2379
      warn step 2 of 3, swap-container: undoing"
    `)
    expect(records.every(({ run }) => run === RUN)).toBe(true)
  })

  it('keeps the fields', () => {
    const [, step] = recordsOf([begin, { type: 'step', index: 1, status: 'verified', ms: 14 }])
    const fields = {
      event: 'step',
      index: 1,
      status: 'verified',
      ms: 14,
      kind: 'swap-container',
      component: 'node',
    }
    expect(step).toMatchObject(fields)
  })

  it('logs no environment of a container and no password', () => {
    const problem = {
      code: 'x',
      severity: 'error' as const,
      message: `cannot reach ${SECRET_URL}`,
      fix: SECRET_URL,
    }
    expect(JSON.stringify(recordsOf([...swapping, ...badEnd, { type: 'problem', problem }]))).not.toContain(
      SECRET,
    )
  })

  it('gives problems their own level', () => {
    const problem = { code: 'x', message: 'm', fix: '' }
    const levels = recordsOf([
      { type: 'problem', problem: { ...problem, severity: 'error' } },
      { type: 'problem', problem: { ...problem, severity: 'warning' } },
    ]).map(({ level }) => level)
    expect(levels).toEqual(['error', 'warn'])
  })

  it('logs of many looks those that saw something new, and of a download some', () => {
    const looks = Array.from({ length: 50 }, (_, i) => standing(i < 20 ? 'starting' : 'recovered', i * 100))
    expect(recordsOf(looks).map(({ level, phase }) => [level, phase])).toEqual([
      ['debug', 'starting'],
      ['debug', 'recovered'],
    ])
    const pulls = Array.from({ length: 60 }, (_, i) => pull(i))
    const retried = pull(60, { retry: { attempt: 1, reason: 'reset' } })
    expect(recordsOf([...pulls, retried]).map(({ level }) => level)).toEqual(['debug', 'warn'])
  })
})
