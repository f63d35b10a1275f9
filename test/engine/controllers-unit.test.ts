import { describe, expect, it } from 'vitest'
import {
  ControllersUnitHost,
  NEW,
  OLD,
  UNIT_FILE,
  type UnitOptions,
  unitText,
} from './controllers-unit-host.ts'

const NAME = 'calico-kube-controllers'
const DROP_IN = `/run/systemd/system/${NAME}.service.d/zzz-calico-agent-trial.conf`
const restarted = (image: string) => [
  `write ${DROP_IN}`,
  'systemctl daemon-reload',
  `systemctl restart ${NAME}.service`,
  `docker kill ${NAME}`,
  `docker rm ${NAME}`,
  `docker create ${NAME} ${image}`,
  `docker start ${NAME}`,
]
const kept = [`remove ${DROP_IN}`, 'systemctl daemon-reload']
const moved = ({ ops }: ControllersUnitHost): string[] => ops.filter((op) => !op.startsWith('docker exec'))

describe('controllers that a unit runs', () => {
  it('are on trial by one restart, and the unit’s file names them afterwards', async () => {
    const host = await ControllersUnitHost.create()
    expect(await host.upgrade()).toBe('upgraded')
    expect(moved(host)).toEqual([`docker pull ${NEW}`, ...restarted(NEW), `write ${UNIT_FILE}`, ...kept])
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('are held to no check that the old ones do not pass', async () => {
    const host = await ControllersUnitHost.create({ silent: true })
    expect(await host.upgrade()).toBe('upgraded')
    expect(host.run.state()?.problems).toMatchObject([{ code: 'health-check-failing' }])
  })

  it.each([
    ['exits', 'it does not stay up'],
    ['never ready', '/usr/bin/check-status -r exits with code 1: not ready'],
  ] as const)('are the old ones again where the new one %s, and no file was touched', async (bad, why) => {
    const host = await ControllersUnitHost.create({ bad })
    expect(await host.upgrade()).toBe('rolled-back')
    expect(host.ops.filter((op) => op.startsWith('write /etc'))).toEqual([])
    expect(host.ops.slice(-2)).toEqual(kept)
    expect(host.run.state()?.problems[0]).toMatchObject({ code: 'controllers-failed' })
    expect(host.run.state()?.problems[0]?.message).toContain(why)
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it('are only restarted where the file names the new image already', async () => {
    const host = await ControllersUnitHost.create({ text: unitText(NEW) })
    expect(await host.upgrade()).toBe('upgraded')
    expect(moved(host)).toEqual([`docker pull ${NEW}`, ...restarted(NEW), ...kept])
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('are named the old ones again where the file named some that fail', async () => {
    const host = await ControllersUnitHost.create({ text: unitText(NEW), bad: 'exits' })
    expect(await host.upgrade()).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it.each<[string, (host: ControllersUnitHost) => unknown]>([
    ['stops them', ({ docker }) => docker.stopContainer(NAME)],
    ['has them made anew', ({ systemd }) => systemd.restart(`${NAME}.service`)],
    ['edits the file', ({ files }) => files.files.set(UNIT_FILE, '# mine\n')],
  ])('are left alone where somebody %s during the pull', async (_, act) => {
    const host = await ControllersUnitHost.create()
    const pull = host.docker.pullImage.bind(host.docker)
    host.docker.pullImage = async (...args) => {
      await pull(...args)
      await act(host)
      host.ops.length = 0
    }
    expect(await host.upgrade()).toBe('refused')
    expect(host.ops).toEqual([])
  })

  it('are put in place by the unit again where it failed and left one behind', async () => {
    const host = await ControllersUnitHost.create({ bad: 'exits' })
    const show = host.systemd.show.bind(host.systemd)
    let isDown = false
    // docker did not answer the unit's stop command in time
    host.systemd.restart = () => {
      isDown = true
      return Promise.resolve()
    }
    host.systemd.show = async (unit) => {
      const state = await show(unit)
      return state && { ...state, ...(isDown && { active: 'failed' }) }
    }
    const remove = host.docker.removeContainer.bind(host.docker)
    host.docker.removeContainer = async (id) => {
      await remove(id)
      isDown = false
      Reflect.deleteProperty(host.systemd, 'restart')
    }
    expect(await host.upgrade()).toBe('rolled-back')
    expect(host.running).toEqual([OLD])
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})

/** What is wrong after a death right before and right after each move, and a resume. */
async function flawsOfDeaths(options: UnitOptions, powerCut: boolean): Promise<string[]> {
  const whole = await ControllersUnitHost.create(options)
  await whole.upgrade()
  const all: string[] = []
  for (const { at, before } of whole.run.deaths) {
    const host = await ControllersUnitHost.create(options)
    const ended = await host.upgrade({ at, before })
    if (powerCut) await host.powerCycle()
    const outcome = await host.resume()
    const flaws = ended === 'killed' ? await host.flaws(outcome) : ['it was not killed']
    all.push(...flaws.map((flaw) => `died ${before ? 'before' : 'after'} move ${at}, ${outcome}: ${flaw}`))
  }
  return all
}

describe('an agent that dies at any moment of it', () => {
  const shapes: [string, UnitOptions][] = [
    ['a good image', {}],
    ['an image that exits', { bad: 'exits' }],
    ['an image that is never ready', { bad: 'never ready' }],
    ['a file that names the new image already', { text: unitText(NEW) }],
    ['a file that names one that exits', { text: unitText(NEW), bad: 'exits' }],
    ['a job that goes on without it', { slowMs: 400 }],
    ['a job that goes on without it, of an image that exits', { slowMs: 400, bad: 'exits' }],
    ['a long job that goes on without it', { slowMs: 2_000 }],
  ]

  it.each(shapes)('leaves one instance for good after its resume, with %s', async (_, options) => {
    expect(await flawsOfDeaths(options, false)).toEqual([])
  })

  it.each(shapes.slice(0, 3))(
    'leaves one instance after a power cut and its resume, with %s',
    async (_, options) => {
      expect(await flawsOfDeaths(options, true)).toEqual([])
    },
  )

  it('would be seen to: one that runs beside it', async () => {
    const host = await ControllersUnitHost.create()
    const HostConfig = { NetworkMode: 'host', RestartPolicy: { Name: 'no' } }
    await host.docker.startContainer(await host.docker.createContainer('two', { Image: OLD, HostConfig }))
    expect(await host.flaws('nothing')).toEqual([`${OLD} started beside another`, `${OLD} and ${OLD} runs`])
  })
})
