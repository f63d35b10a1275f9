// The agent, or its host, dies in a swap of controllers that a unit runs: two never run at once, and one runs for good.

import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { installFaultyAgent } from '../faults/build.ts'
import { FAULTY_AGENT } from '../faults/trial.ts'
import { type Host, pullImage } from '../lab/index.ts'
import { quickly } from './background.ts'
import { controllers, mostAtOnce, starts } from './controllers.ts'
import { expectSettled, shapes, startUnit } from './controllers-units.ts'
import { containers, lab, world } from './support.ts'

const shape = shapes['slow to start']
const TAGS = ['v3.20.0', 'v3.26.1'] as const

let host: Host
let flags: string[]
let since: number

beforeAll(async () => {
  await installFaultyAgent(lab)
})

beforeEach(async () => {
  host = (await world()).host
  flags = [...(await quickly(host)), '--allow', 'downgrade']
  for (const tag of TAGS) await pullImage(host, controllers(tag))
  await startUnit(host, shape, controllers(TAGS[0]))
  since = Date.now()
})

/**
 * After each change of the host in a swap, its edit and its commit, when the new ones have passed their trial, and at the
 * end. What comes between finds the same host; test/engine/controllers-unit.test.ts has those deaths as well.
 */
const POINTS = [
  'after unitFiles.write#1',
  'after systemd.daemonReload#1',
  'after systemd.restart#1',
  'after journal.append#5',
  'after unitFiles.write#2',
  'after unitFiles.remove#1',
  'after systemd.daemonReload#2',
  'after journal.append#11',
]

describe('controllers of a unit whose agent dies', () => {
  it('at each of its changes', async () => {
    const outcomes: string[] = []
    for (const point of POINTS) {
      const { code, stdout } = await faulty(`${point}=kill`, await other())
      expect({ point, code, said: code === 137 ? '' : stdout.slice(-300) }).toMatchObject({
        point,
        code: 137,
      })
      outcomes.push(await expectSettled(host, shape, point))
    }
    expect(new Set(outcomes)).toEqual(new Set(['rolled-back', 'upgraded']))
    expect(await mostAtOnce(host, since)).toBe(1)
  }, 1_200_000)

  it('in the middle of the unit’s restart, and in the middle of the one on the way back', async () => {
    for (const ms of [5, 60, 250, 900, 1_500]) {
      await killsIn(ms)
      const { code } = await faulty('before systemd.restart#1=/tmp/kills', await other())
      expect({ ms, code }).toEqual({ ms, code: 137 })
      await expectSettled(host, shape, `${ms} ms into the restart`)
      const back = await faulty('before systemd.restart#2=/tmp/kills', controllers('exits-at-once'))
      // a restart that is quicker than that lets the run go back to its end, and leaves nothing to resume
      expect([137, 4]).toContain(back.code)
      const outcome = await expectSettled(host, shape, `${ms} ms into the way back`)
      expect(['rolled-back', 'unchanged']).toContain(outcome)
    }
    expect(await starts(host)).toBeGreaterThan(5)
    expect(await mostAtOnce(host, since)).toBe(1)
  }, 900_000)

  it.each([
    'after unitFiles.write#1',
    'after systemd.restart#1',
    'after journal.append#5',
    'after unitFiles.write#2',
    'after unitFiles.remove#1',
  ])('%s, and whose host loses its power then', async (point) => {
    expect(await faulty(`${point}=kill`, await other())).toMatchObject({ code: 137 })
    await host.powerCut()
    await host.powerOn()
    await expectSettled(host, shape, point)
    expect(await mostAtOnce(host, since)).toBe(1)
  })

  it('at any time', async () => {
    for (const ms of [300, 1_100, 2_200, 5_000, 15_000]) {
      const run = await host.start(['agent', 'upgrade', '--controllers', await other(), ...flags])
      await sleep(ms)
      await run.kill('SIGKILL').catch(() => undefined)
      await run.done
      await expectSettled(host, shape, `${ms} ms`)
    }
    expect(await mostAtOnce(host, since)).toBe(1)
  }, 1_200_000)
})

/** A program that lets the agent go on, and kills it so many ms later. */
async function killsIn(ms: number): Promise<void> {
  const script = `#!/bin/sh\nsetsid sh -c "sleep ${ms / 1000}; kill -9 $PPID" >/dev/null 2>&1 &\n`
  await host.writeFile('/tmp/kills', script, 0o755)
}

async function faulty(fault: string, target: string) {
  const argv = [`/opt/calico-agent/${FAULTY_AGENT}`, 'upgrade', '--controllers', target, '--json', ...flags]
  return await host.run(argv, { env: { AGENT_FAULT: fault } })
}

/** The image that does not run. */
async function other(): Promise<string> {
  const [running = ''] = await containers(host)
  return controllers(running.includes(TAGS[0]) ? TAGS[1] : TAGS[0])
}
