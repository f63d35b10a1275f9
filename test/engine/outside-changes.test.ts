import { describe, expect, it } from 'vitest'
import { brokenBirds } from './broken-birds.ts'
import { FakeHost, type HostOptions } from './fake-host.ts'
import { UnitHost } from './unit-host.ts'

/** Runs an upgrade; right before the n-th call of a method somebody else acts. */
async function meddled(
  [method, nth]: [string, number],
  act: (host: FakeHost) => unknown,
  options: HostOptions = {},
) {
  const host = await FakeHost.create(options)
  let calls = 0
  host.agent.onMove = (_, what) => {
    if (what === method && ++calls === nth) act(host)
  }
  const outcome = await host.run()
  const running = (await host.containers()).filter(({ State }) => State.Running)
  return { host, outcome, running, problems: host.agent.state()?.problems ?? [] }
}

const inThePull: [string, number] = ['pullImage', 1]
/** The old one's settings, as a playbook or docker-compose would make it again. */
const anew = {
  Image: 'calico/node:v2.6.5',
  Cmd: ['/sbin/start_runit'],
  HostConfig: {
    NetworkMode: 'host',
    RestartPolicy: { Name: 'always' },
    Binds: ['/var/run/calico:/var/run/calico'],
  },
}

/** "done" of the swap: its trial follows. */
const inTheTrial: [string, number] = ['append', 12]
const nextOf = async (host: FakeHost) => (await host.containers()).at(-1)?.Id ?? ''

describe('somebody who lays hands on the old container before its turn', () => {
  it.each<[string, string, (host: FakeHost) => unknown]>([
    [
      'restarts it',
      'bird-down',
      ({ docker, oldId }) => {
        docker.exit(oldId, 0)
      },
    ],
    ['stops it', 'changed-meanwhile', ({ docker, oldId }) => docker.killContainer(oldId)],
    ['removes it', 'changed-meanwhile', ({ docker, oldId }) => docker.removeContainer(oldId)],
    ['renames it', 'changed-meanwhile', ({ docker, oldId }) => docker.renameContainer(oldId, 'mine')],
  ])('and %s, ends the run before its first move: %s', async (_, code, act) => {
    const { host, outcome, problems } = await meddled(inThePull, act)
    expect(outcome).toBe('refused')
    expect(problems).toMatchObject([{ code }])
    expect(host.ops.filter((op) => op.startsWith('docker start'))).toEqual([])
    expect(host.node.violations).toEqual([])
  })
})

describe('somebody who lays hands on the containers in the trial', () => {
  it('removes the new one: the old one is put back', async () => {
    const { host, outcome, problems } = await meddled(inTheTrial, async (meddler) => {
      await meddler.docker.removeContainer(await nextOf(meddler))
    })
    expect(outcome).toBe('rolled-back')
    expect(problems[0]?.message).toContain('it was removed by another process')
    expect(await host.flaws(outcome)).toEqual([])
  })

  it('removes the old one: the new one is kept, and that is said', async () => {
    const { outcome, running, problems } = await meddled(inTheTrial, ({ docker, oldId }) =>
      docker.removeContainer(oldId),
    )
    expect(outcome).toBe('upgraded')
    expect(running.map(({ Name }) => Name)).toEqual(['/calico-node'])
    expect(problems).toMatchObject([{ code: 'parked-gone', severity: 'warning' }])
  })

  it('removes the old one, and the new one fails: the old one is made again', async () => {
    const { outcome, running } = await meddled(
      inTheTrial,
      ({ docker, oldId }) => docker.removeContainer(oldId),
      brokenBirds['a BIRD that never comes up'],
    )
    expect(outcome).toBe('rolled-back')
    expect(running).toMatchObject([
      {
        Name: '/calico-node',
        Config: { Image: 'calico/node:v2.6.5' },
        HostConfig: { RestartPolicy: { Name: 'always' } },
      },
    ])
  })

  it('starts the old one: two never stay', async () => {
    const { outcome, running, host, problems } = await meddled(inTheTrial, ({ docker, oldId }) =>
      docker.startContainer(oldId),
    )
    expect(outcome).toBe('rolled-back')
    expect(running.map(({ Id }) => Id)).toEqual([host.oldId])
    expect(problems).toMatchObject([{ code: 'changed-meanwhile' }])
  })

  it('starts the old one after the agent died: the resume leaves it alone', async () => {
    const host = await FakeHost.create()
    await host.run(undefined, { at: 15, before: false })
    expect(host.ops.at(-1)).toMatch(/^docker start calico-node-next/)
    await host.docker.startContainer(host.oldId)
    expect(await host.resume()).toBe('rolled-back')
    expect(host.ops.filter((op) => op === 'docker kill calico-node')).toHaveLength(1)
    const running = (await host.containers()).filter(({ State }) => State.Running)
    expect(running.map(({ Id }) => Id)).toEqual([host.oldId])
  })
})

describe('a new container that ends after its gate', () => {
  it('gives way to the old one: nothing starts it again without a gate', async () => {
    const { host, outcome, running, problems } = await meddled(
      ['putInPlace', 1],
      async (host) => {
        host.docker.exit(await nextOf(host), 1)
      },
      { withPlugins: true },
    )
    expect(outcome).toBe('rolled-back')
    expect(problems).toMatchObject([{ code: 'gate-failed' }])
    expect(running.map(({ Id }) => Id)).toEqual([host.oldId])
  })
})

describe('somebody who makes calico/node anew in the window', () => {
  const byRemoval = async ({ docker, oldId }: FakeHost) => {
    await docker.removeContainer(oldId)
    return await docker.createContainer('calico-node', anew)
  }
  const byRenaming = async ({ docker, oldId }: FakeHost) => {
    await docker.renameContainer(oldId, 'c0ffee_calico-node')
    return await docker.createContainer('calico-node', anew)
  }
  const beside = async ({ docker }: FakeHost) => await docker.createContainer('calico_node_1', anew)

  it.each([
    ['docker rm -f; docker run', byRemoval, inTheTrial],
    ['docker-compose, which renames the old one', byRenaming, inTheTrial],
    ['under another name', beside, inTheTrial],
    ['docker rm -f; docker run, before the trial', byRemoval, ['append', 11] as [string, number]],
  ])('keeps that one, and the run goes back: %s', async (_, make, when) => {
    let made = ''
    const { host, outcome, running, problems } = await meddled(when, async (meddler) => {
      made = await make(meddler)
      await meddler.docker.startContainer(made)
    })
    expect(outcome).toBe('rolled-back')
    expect(running.map(({ Id }) => Id)).toEqual([made])
    expect(problems[0]).toMatchObject({ code: 'changed-meanwhile' })
    expect(problems).toContainEqual(expect.objectContaining({ code: 'left-to-another', severity: 'warning' }))
    host.powerCycle()
    const afterBoot = (await host.containers()).filter(({ State }) => State.Running)
    expect(afterBoot.map(({ Id }) => Id)).toEqual([made])
  })

  it('with a name that is taken right before the commit, goes back as well', async () => {
    const { outcome, running, problems } = await meddled(['append', 14], async (meddler) => {
      await meddler.docker.startContainer(await byRemoval(meddler))
    })
    expect(outcome).toBe('rolled-back')
    expect(running.map(({ Name }) => Name)).toEqual(['/calico-node'])
    expect(problems[0]).toMatchObject({ code: 'changed-meanwhile' })
  })

  it('before the KILL, ends the run untouched', async () => {
    const { host, outcome, problems } = await meddled(inThePull, async (meddler) => {
      await meddler.docker.startContainer(await beside(meddler))
    })
    expect(outcome).toBe('refused')
    expect(problems[0]).toMatchObject({ code: 'second-node' })
    expect(host.ops.filter((op) => op.startsWith('docker kill'))).toEqual([])
  })
})

describe('somebody who makes calico/node anew in the window of a unit', () => {
  const made = async ({ docker }: UnitHost, name: string) => {
    const id = await docker.createContainer(name, anew)
    await docker.startContainer(id)
    return id
  }
  const beside = (host: UnitHost) => made(host, 'calico_node_1')
  const inItsPlace = async (host: UnitHost) => {
    await host.docker.removeContainer('calico-node')
    return await made(host, 'calico-node')
  }

  it.each([
    ['under another name', beside, /^calico_node_1 /],
    ['in its place, with the unit down', inItsPlace, /^calico-node /],
  ])('keeps that one, and stops the unit: %s', async (_, make, name) => {
    const host = await UnitHost.create()
    let isUp = false
    let stranger: Promise<string> | undefined
    host.agent.onMove = (_move, what) => {
      if (isUp && what === 'append') stranger ??= make(host)
      isUp ||= what === 'restart'
    }
    expect(await host.run()).toBe('rolled-back')
    const running = (await host.docker.runningContainers()).map(({ id }) => id)
    expect(running).toEqual([await stranger])
    expect(host.ops).toContain('systemctl stop calico-node.service')
    expect(host.ops.filter((op) => op.startsWith('systemctl TERM'))).toEqual([])
    const problems = host.agent.state()?.problems ?? []
    expect(problems).toContainEqual(
      expect.objectContaining({ code: 'left-to-another', message: expect.stringMatching(name) as string }),
    )
  })
})
