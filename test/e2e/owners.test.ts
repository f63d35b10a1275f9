// Who keeps calico/node and the controllers: what public hosts have, told apart on real ones, and across a boot.

import { describe, expect, it } from 'vitest'
import { type Host, until } from '../lab/index.ts'
import { controllers, NAME, runControllers } from './controllers.ts'
import { startUnit } from './controllers-units.ts'
import { inDefault, type Refused, refused, refusedControllers, upgraded } from './owner-shapes.ts'
import { logged, quick, replaceConfig, startService, systemctl, untilService } from './service.ts'
import * as support from './support.ts'
import { type Shape, startedBy, unitFiles } from './units.ts'

describe('a unit', () => {
  it.each(Object.entries(upgraded))(
    'is upgraded, and a boot starts the new image: %s',
    async (_, shape: Shape) => {
      const at = await support.world(startedBy(shape))
      const { host } = at
      await support.configure(host, { settle: 1 })
      const before = await unitFiles(host)
      // without a target nothing is asked of the unit's image
      expect(await host.run(['agent', 'doctor'])).toMatchObject({ code: 0 })
      const up = await support.costOf(at, () =>
        support.agent(host, 'upgrade', '--node', support.image('v2.6.12')),
      )
      support.expectNoCost(up)
      expect(up.result).toMatchObject({ code: 0, report: { outcome: 'upgraded', problems: [] } })
      const named = (before[shape.file] ?? '').replace('v2.6.5', 'v2.6.12')
      expect(await unitFiles(host)).toEqual({ ...before, [shape.file]: named })

      await host.powerCut()
      await host.powerOn()
      await at.mesh.untilSettled()
      expect(await support.containers(host)).toEqual(['calico-node v2.6.12 running no'])
    },
  )
})

describe('what else keeps it', () => {
  it('is told, one way after the other, and nothing is touched', async () => {
    const { host } = await support.world()
    const id = await support.nodeId(host)
    for (const [name, shape] of Object.entries(refused)) {
      const result = await beside(host, shape, () =>
        support.agent(host, 'upgrade', '--node', support.image('v2.6.12')),
      )
      expect({ name, ...told(result) }).toEqual({ name, ...expected(shape) })
    }
    expect(await support.containers(host)).toEqual(['calico-node v2.6.5 running always'])
    expect(await support.nodeId(host)).toBe(id)
    expect((await support.agent(host, 'plan', '--node', support.image('v2.6.12'))).report.problems).toEqual(
      [],
    )
  })

  it('is told of the controllers as well, and of a file of docker-compose', async () => {
    const labels = { project: 'net', service: 'node', 'project.config_files': '/srv/net/docker-compose.yml' }
    const args = Object.entries(labels).map(([name, value]) => `--label=com.docker.compose.${name}=${value}`)
    const { host } = await support.world({ args })
    const { report } = await support.agent(host, 'plan', '--node', support.image('v2.6.12'))
    expect(report).toMatchObject({
      outcome: 'planned',
      problems: [{ code: 'compose-file', severity: 'warning' }],
    })
    expect(report.problems[0]?.message).toContain('the image that /srv/net/docker-compose.yml names')
    await runControllers(host, controllers('v3.20.0'))
    for (const [name, shape] of Object.entries(refusedControllers)) {
      const result = await beside(host, shape, () =>
        support.agent(host, 'upgrade', '--controllers', controllers('v3.26.1')),
      )
      expect({ name, ...told(result) }).toEqual({ name, ...expected(shape) })
    }
  })
})

const told = ({ code, report }: support.AgentResult) => ({
  code,
  outcome: report.outcome,
  problems: report.problems.map((problem) => ({ code: problem.code, message: problem.message })),
})

const expected = ({ code, says }: Refused): ReturnType<typeof told> => ({
  code: 3,
  outcome: 'refused',
  problems: [{ code, message: expect.stringContaining(says) as string }],
})

/** Runs it while the shape's files are there, and its unit is up or enabled. */
async function beside<T>(host: Host, { files, up }: Refused, act: () => Promise<T>): Promise<T> {
  const all = Object.entries(files(host))
  for (const [path, text] of all) await host.writeFile(path, text, 0o755)
  const units = all.flatMap(([path]) => /^\/etc\/systemd\/system\/([^/]+\.service)$/.exec(path)?.[1] ?? [])
  const names = units.map((name) => name.replace('@.', '@node.'))
  await host.ok(['systemctl', 'daemon-reload'])
  for (const name of names) await host.ok(['systemctl', 'enable', ...(up === false ? [] : ['--now']), name])
  try {
    return await act()
  } finally {
    for (const name of names) {
      await host.run(['systemctl', 'kill', '--signal=KILL', name])
      await host.run(['systemctl', 'disable', '--now', name])
      await host.run(['systemctl', 'reset-failed', name])
    }
    await host.ok(['rm', '-f', ...all.map(([path]) => path)])
    await host.ok(['systemctl', 'daemon-reload'])
  }
}

/** The agent as its own service has it: only some directories can be written to. */
describe('a service that cannot write where the images stand', () => {
  it('is refused before anything moves, and upgrades once it can', async () => {
    const { host } = await support.world(startedBy(inDefault.node))
    await startUnit(host, inDefault.controllers, controllers('v3.20.0'))
    const files = [inDefault.node.file, inDefault.controllers.file]
    const state = async () => [
      await support.containers(host),
      await support.nodeId(host),
      ...(await Promise.all(files.map((path) => host.readFile(path)))),
    ]
    const before = await state()
    const wanted = {
      ...quick(support.image('v2.6.12')),
      controllers: { image: controllers('v3.26.1') },
      apply: 'auto',
    }
    await replaceConfig(host, wanted)
    await startService(host)
    const says = async (path: string): Promise<boolean> =>
      (await logged(host, 'err')).some((line) =>
        line.includes(`${path}, which names its image, is not writable`),
      )
    for (const path of files) await until(`${path} to be told`, () => says(path))
    expect(await state()).toEqual(before)

    await startService(host, '[Service]\nReadWritePaths=/etc/default\n')
    await systemctl(host, 'restart')
    await untilService(host, 'idle', 'upgraded')
    expect(await support.containers(host)).toEqual([
      `${NAME} v3.26.1 running no`,
      'calico-node v2.6.12 running no',
    ])
    expect(await host.readFile(inDefault.node.file)).toContain(support.image('v2.6.12'))
    expect(await host.readFile(inDefault.controllers.file)).toContain(controllers('v3.26.1'))
  })
})
