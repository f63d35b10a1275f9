import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { NEW_IMAGE, OLD_IMAGE, UNIT_FILE, UnitHost, unitText } from './unit-host.ts'

const DROP_IN = '/run/systemd/system/calico-node.service.d/zzz-calico-agent-trial.conf'
const restarted = (image: string) => [
  `write ${DROP_IN}`,
  'systemctl daemon-reload',
  'systemctl restart calico-node.service',
  'docker kill calico-node',
  'docker rm calico-node',
  `docker create calico-node ${image}`,
  'docker start calico-node',
]
const kept = [`remove ${DROP_IN}`, 'systemctl daemon-reload']

describe('a unit', () => {
  it('runs the new image on trial, and its file names it afterwards', async () => {
    const host = await UnitHost.create()
    expect(await host.run()).toBe('upgraded')
    expect(host.ops).toEqual([
      `docker pull ${NEW_IMAGE}`,
      ...restarted(NEW_IMAGE),
      `write ${UNIT_FILE}`,
      ...kept,
    ])
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('runs the old image again where the new one fails, and its file was never touched', async () => {
    const host = await UnitHost.create({ newExitsAfter: 100 })
    expect(await host.run()).toBe('rolled-back')
    expect(host.ops.filter((op) => op.startsWith('write /etc'))).toEqual([])
    expect(host.ops.slice(-2)).toEqual(kept)
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it('is only restarted where its file names the new image already', async () => {
    const host = await UnitHost.create({ text: unitText(NEW_IMAGE) })
    expect(await host.run()).toBe('upgraded')
    expect(host.ops).toEqual([`docker pull ${NEW_IMAGE}`, ...restarted(NEW_IMAGE), ...kept])
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('is left alone where somebody changes its file during the pull', async () => {
    const host = await UnitHost.create()
    const pull = host.docker.pullImage.bind(host.docker)
    host.docker.pullImage = async (...args) => {
      await pull(...args)
      host.files.files.set(UNIT_FILE, `${unitText('calico/node:v2.6.5')}# mine\n`)
    }
    expect(await host.run()).toBe('refused')
    expect(host.ops.slice(1)).toEqual([])
    expect(host.files.files.get(UNIT_FILE)).toContain('# mine')
  })

  it('runs the old image again also where its file cannot be made to name it', async () => {
    const host = await UnitHost.create({ text: unitText(NEW_IMAGE), newExitsAfter: 100 })
    const write = host.files.write.bind(host.files)
    host.files.write = async (path, text) => {
      if (path === UNIT_FILE) throw new AgentError('cannot-write', 'read-only', { fix: 'none' })
      await write(path, text)
    }
    expect(await host.run()).toBe('stuck')
    expect((await host.node())?.Config.Image).toBe(OLD_IMAGE)
    expect((await host.node())?.State.Running).toBe(true)
    expect(host.routes.held).toBe(false)
  })

  it('names the old image again where its file named one that fails', async () => {
    const host = await UnitHost.create({ text: unitText(NEW_IMAGE), newExitsAfter: 100 })
    expect(await host.run()).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})

describe('somebody who lays hands on the unit in the pull', () => {
  it.each<[string, (host: UnitHost) => Promise<unknown>]>([
    ['restarts it', ({ systemd }) => systemd.restart('calico-node.service')],
    ['stops its container', ({ docker }) => docker.killContainer('calico-node')],
  ])('and %s, ends the run before its first move', async (_, act) => {
    const host = await UnitHost.create()
    const pull = host.docker.pullImage.bind(host.docker)
    host.docker.pullImage = async (...args) => {
      await pull(...args)
      await act(host)
      host.ops.length = 0
    }
    expect(await host.run()).toBe('refused')
    expect(host.ops).toEqual([])
    expect(host.agent.text).toContain('"changed-meanwhile"')
  })
})

/** How often BIRD was restarted on the way to a run's end. */
const restarts = ({ ops }: UnitHost): number => ops.filter((op) => op.startsWith('systemctl restart')).length

/** What is wrong after a death right before and right after each move, and a resume. */
async function flawsOfDeaths(
  options: Parameters<typeof UnitHost.create>[0],
  powerCut: boolean,
): Promise<string[]> {
  const whole = await UnitHost.create(options)
  await whole.run()
  const all: string[] = []
  for (const { at, before } of whole.agent.deaths) {
    const host = await UnitHost.create(options)
    const ended = await host.run({ at, before })
    if (powerCut) await host.powerCycle()
    const outcome = await host.resume()
    if (outcome === 'upgraded' && !powerCut && restarts(host) !== 1)
      all.push(`died at move ${at}: restarted again`)
    const flaws = ended === 'killed' ? await host.flaws(outcome) : ['it was not killed']
    all.push(...flaws.map((flaw) => `died ${before ? 'before' : 'after'} move ${at}: ${flaw}`))
  }
  return all
}

describe('an agent that dies at any moment of a unit’s upgrade', () => {
  it.each([
    ['a good image', {}],
    ['an image that fails', { newExitsAfter: 100 }],
    ['a job that goes on without it', { slowMs: 300 }],
    ['a job that goes on without it, of an image that fails', { slowMs: 300, newExitsAfter: 100 }],
  ])('leaves a whole host after its resume: %s', async (_, options) => {
    expect(await flawsOfDeaths(options, false)).toEqual([])
  })

  it.each([
    ['a good image', {}],
    ['an image that fails', { newExitsAfter: 100 }],
  ])('leaves a whole host after a power cut and its resume: %s', async (_, options) => {
    expect(await flawsOfDeaths(options, true)).toEqual([])
  })
})
