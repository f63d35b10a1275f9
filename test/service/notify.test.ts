import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Notifier } from '../../agent/service/notify.ts'

let dir: string
const failures: unknown[] = []

/** A systemd-notify that writes down what it is called with, a line each time. */
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'notify-'))
  failures.length = 0
  await program(`echo "$*" >>${dir}/said`)
  vi.stubEnv('PATH', `${dir}${delimiter}${process.env['PATH'] ?? ''}`)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(dir, { recursive: true })
})

async function program(script: string): Promise<void> {
  await writeFile(join(dir, 'systemd-notify'), `#!/bin/sh\n${script}\n`)
  await chmod(join(dir, 'systemd-notify'), 0o755)
}

const said = async (): Promise<string[]> =>
  (await readFile(join(dir, 'said'), 'utf8').catch(() => '')).split('\n').filter(Boolean)

function notifier(env: NodeJS.ProcessEnv = { NOTIFY_SOCKET: '/run/systemd/notify' }): Notifier {
  return new Notifier(env, (error) => failures.push(error))
}

describe('Notifier', () => {
  it('says nothing outside of a unit', async () => {
    const outside = notifier({ WATCHDOG_USEC: '1000000' })
    outside.notify({ READY: '1' })
    await outside.flush()
    expect(await said()).toEqual([])
    expect(outside.watchdogMs).toBeNull()
  })

  it('knows what the watchdog wants', () => {
    expect(notifier({ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '60000000' }).watchdogMs).toBe(60_000)
    expect(notifier().watchdogMs).toBeNull()
  })

  it('sends the newest status alone, and not more than one a second', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0)
    onTestFinished(() => {
      now.mockRestore()
    })
    const one = notifier()
    one.notify({ STATUS: 'first' })
    for (let i = 0; i < 50; i++) {
      one.notify({ STATUS: `status ${i}` })
      await sleep(10)
    }
    await expect.poll(said).toEqual(['STATUS=first'])
    await one.flush()
    expect(await said()).toEqual(['STATUS=first', 'STATUS=status 49'])
  })

  it('does not repeat a status, and sends a sign of life at once', async () => {
    const one = notifier()
    one.notify({ STATUS: 'same' })
    await one.flush()
    one.notify({ STATUS: 'same' })
    one.notify({ WATCHDOG: '1' })
    await one.flush()
    expect(await said()).toEqual(['STATUS=same', 'WATCHDOG=1'])
  })

  it('tells that it is ready again after it told that it reloads', async () => {
    const one = notifier()
    one.notify({ WATCHDOG: '1' })
    one.notify({ RELOADING: '1' })
    one.notify({ READY: '1' })
    await one.flush()
    expect(await said()).toEqual(['WATCHDOG=1', 'READY=1'])
  })

  it('hands on a failure and goes on', async () => {
    await program('exit 1')
    const one = notifier()
    one.notify({ READY: '1' })
    await one.flush()
    expect(failures).toHaveLength(1)
    await program(`echo "$*" >>${dir}/said`)
    one.notify({ WATCHDOG: '1' })
    await one.flush()
    expect(await said()).toEqual(['WATCHDOG=1 READY=1'])
  })

  it('says again that it is ready with each sign of life, until it reloads or stops', async () => {
    const one = notifier()
    const steps = [
      { READY: '1' },
      { WATCHDOG: '1' },
      { RELOADING: '1' },
      { WATCHDOG: '1' },
      { READY: '1' },
    ] as const
    for (const notice of [...steps, { WATCHDOG: '1' }, { STOPPING: '1' }, { WATCHDOG: '1' }] as const) {
      one.notify(notice)
      await one.flush()
    }
    expect(await said()).toEqual([
      ...['READY=1', 'WATCHDOG=1 READY=1', 'RELOADING=1', 'WATCHDOG=1', 'READY=1', 'WATCHDOG=1 READY=1'],
      ...['STOPPING=1', 'WATCHDOG=1'],
    ])
  })
})
