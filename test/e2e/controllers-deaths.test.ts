// The agent, or its host, dies in a swap of the controllers: two never run at once, and one runs after the resume.

import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { installFaultyAgent } from '../faults/build.ts'
import { FAULTY_AGENT } from '../faults/trial.ts'
import { type Host, pullImage } from '../lab/index.ts'
import { quickly, startAgent } from './background.ts'
import { controllers, NAME, overlaps, runControllers, starts } from './controllers.ts'
import { agent, containers, lab, world } from './support.ts'

let host: Host
let flags: string[]
let toAndFro: string[]

beforeAll(async () => {
  await installFaultyAgent(lab)
})

beforeEach(async () => {
  host = (await world()).host
  flags = await quickly(host)
  toAndFro = [...flags, '--allow', 'downgrade']
  for (const tag of ['v3.20.0', 'v3.26.1']) await pullImage(host, controllers(tag))
  await runControllers(host, controllers('v3.20.0'))
})

/**
 * After each change of a swap and its commit, and when the new one has passed its trial. What comes before a change finds
 * the host as the change before it left it; test/engine/controllers.test.ts has those deaths as well.
 */
const POINTS = [
  'after docker.createContainer#1',
  'after docker.setRestartPolicy#1',
  'after docker.stopContainer#1',
  'after docker.startContainer#1',
  'after docker.setRestartPolicy#2',
  'after journal.append#9',
  'after docker.setRestartPolicy#3',
  'after docker.setRestartPolicy#4',
  'after docker.startContainer#2',
  'after docker.renameContainer#1',
  'after docker.renameContainer#2',
]

describe('controllers whose agent dies', () => {
  it('at each of its changes', async () => {
    for (const point of POINTS) {
      const { code, stdout } = await faulty(point, await other())
      expect({ point, code, said: code === 137 ? '' : stdout.slice(-300) }).toMatchObject({
        point,
        code: 137,
      })
      await settled(point)
    }
    expect(await starts(host)).toBeGreaterThan(POINTS.length / 2)
  }, 1_200_000)

  it.each([
    'after docker.stopContainer#1',
    'after docker.startContainer#1',
    'after docker.setRestartPolicy#2',
    'after docker.setRestartPolicy#3',
    'after docker.setRestartPolicy#4',
  ])('%s, and whose host loses its power then', async (point) => {
    expect(await faulty(point, await other())).toMatchObject({ code: 137 })
    await host.powerCut()
    await host.powerOn()
    await settled(point)
  })

  it('while Docker waits for the old one to obey its TERM', async () => {
    const [slow, target] = [controllers('ignores-term'), controllers('v3.26.1')]
    await host.ok(['docker', 'rm', '-f', NAME])
    await runControllers(host, slow)
    const run = await startAgent(host, 'upgrade', '--controllers', target, ...flags)
    await run.untilLogs(/swap-controllers/)
    await sleep(2_000)
    await run.kill('SIGKILL')
    await run.done
    const { outcome } = (await agent(host, 'resume')).report
    // Docker's own wait is 10 s
    await sleep(12_000)
    const left = (await containers(host)).filter((one) => one.startsWith(NAME))
    expect({ outcome, left }).toEqual({ outcome, left: [`${NAME} ignores-term running always`] })
    expect(await overlaps(host)).toBe('')
  })

  it('at any time', async () => {
    for (const ms of [300, 700, 1_300, 2_500, 13_000, 14_000]) {
      const run = await host.start(['agent', 'upgrade', '--controllers', await other(), ...toAndFro])
      await sleep(ms)
      await run.kill('SIGKILL').catch(() => undefined)
      await run.done
      await settled(`${ms} ms`)
    }
    expect(await starts(host)).toBeGreaterThan(2)
  })
})

async function faulty(point: string, target: string) {
  const argv = [
    `/opt/calico-agent/${FAULTY_AGENT}`,
    'upgrade',
    '--controllers',
    target,
    '--json',
    ...toAndFro,
  ]
  return await host.run(argv, { env: { AGENT_FAULT: `${point}=kill` } })
}

/** The image that does not run. */
async function other(): Promise<string> {
  const [running = ''] = await containers(host)
  return controllers(running.includes('v3.20.0') ? 'v3.26.1' : 'v3.20.0')
}

/** One runs, under its own name and policy, and there were never two. */
async function settled(where: string): Promise<void> {
  const { outcome } = (await agent(host, 'resume')).report
  const all = (await containers(host)).filter((one) => one.startsWith(NAME))
  const running = all.filter((one) => one.includes(' running '))
  const expected = [expect.stringMatching(new RegExp(`^${NAME} v3\\.\\d+\\.\\d+ running always$`))]
  expect({ where, running }).toEqual({ where, running: expected })
  expect({ where, policies: all.map((one) => one.split(' ').at(-1)).sort() }).toEqual({
    where,
    policies: all.map((_, i) => (i === 0 ? 'always' : 'no')),
  })
  expect({ where, outcome, overlaps: await overlaps(host) }).toMatchObject({ where, overlaps: '' })
  expect(outcome).not.toBe('stuck')
}
