import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { ControllersHost, type ControllersOptions } from './controllers-host.ts'
import type { Death } from './moves.ts'

const NAME = 'calico-kube-controllers'
const NEXT = `${NAME}-next-20261122T141503Z-7f3a`
const PARKED = `${NAME}-parked-20261122T141503Z-7f3a`
const ofControllers = ({ ops }: ControllersHost): string[] =>
  ops.filter((op) => op.includes(NAME) && !op.startsWith('docker exec'))

describe('a swap of the controllers', () => {
  it('stops the old one before it starts the new one, and neither could start beside the other', async () => {
    const host = await ControllersHost.create()
    expect(await host.upgrade()).toBe('upgraded')
    expect(ofControllers(host)).toEqual([
      `docker create ${NEXT} calico/kube-controllers:v3.26.1`,
      `docker update ${NAME} --restart no`,
      `docker stop ${NAME}`,
      `docker start ${NEXT}`,
      `docker update ${NAME} --restart always`,
      `docker update ${NAME} --restart no`,
      `docker update ${NEXT} --restart always`,
      `docker rename ${NAME} ${PARKED}`,
      `docker rename ${NEXT} ${NAME}`,
    ])
    expect(await host.flaws('upgraded')).toEqual([])
    expect(host.run.state()?.controllersDownMs).toBe(1_000)
  })

  it('leaves the old one without a policy for the trial under live-restore', async () => {
    const host = await ControllersHost.create({ liveRestore: true })
    expect(await host.upgrade()).toBe('upgraded')
    expect(ofControllers(host).filter((op) => op === `docker update ${NAME} --restart always`)).toEqual([])
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it.each([
    ['exits', 'it does not stay up'],
    ['never ready', '/usr/bin/check-status -r exits with code 1: not ready'],
  ] as const)('brings the old one back where the new one %s', async (bad, why) => {
    const host = await ControllersHost.create({ bad })
    expect(await host.upgrade()).toBe('rolled-back')
    expect(ofControllers(host).slice(-3)).toEqual([
      `docker start ${NAME}`,
      `docker update ${NAME} --restart always`,
      `docker rm ${NEXT}`,
    ])
    expect(host.run.state()?.problems[0]).toMatchObject({ code: 'controllers-failed' })
    expect(host.run.state()?.problems[0]?.message).toContain(why)
    // from the old one's end to the new one's start, and from the new one's end on; it ran between
    expect(host.run.state()?.controllersDownMs).toBe(2_000)
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it('holds the new one to no check that the old one does not pass', async () => {
    const host = await ControllersHost.create({ silent: true })
    expect(await host.upgrade()).toBe('upgraded')
    expect(host.run.state()?.problems).toMatchObject([{ code: 'health-check-failing', severity: 'warning' }])
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('does not begin where somebody stopped them since', async () => {
    const host = await ControllersHost.create()
    host.run.onMove = (_, what) => {
      if (what === 'pullImage') void host.docker.stopContainer(NAME)
    }
    expect(await host.upgrade()).toBe('refused')
    expect(host.run.state()?.problems).toMatchObject([{ code: 'changed-meanwhile' }])
    expect(host.running).toEqual([])
  })

  it('starts nothing where Docker does not stop the old one', async () => {
    const host = await ControllersHost.create()
    host.docker.stopContainer = () => Promise.resolve()
    expect(await host.upgrade()).toBe('rolled-back')
    expect(host.run.state()?.problems).toMatchObject([{ code: 'controllers-not-stopped' }])
    expect(ofControllers(host)).not.toContain(`docker start ${NEXT}`)
    expect(host.running).toEqual([host.oldId])
  })
})

describe('controllers behind a node', () => {
  it('move once the node is committed', async () => {
    const host = await ControllersHost.create({ withNode: true })
    expect(await host.upgrade()).toBe('upgraded')
    const commit = host.ops.findIndex((op) => op.startsWith('docker rename calico-node-next'))
    expect(host.ops.indexOf(`docker create ${NEXT} calico/kube-controllers:v3.26.1`)).toBeLessThan(commit)
    expect(host.ops.indexOf(`docker stop ${NAME}`)).toBeGreaterThan(commit)
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('do not take the node back with them', async () => {
    const host = await ControllersHost.create({ withNode: true, bad: 'exits' })
    expect(await host.upgrade()).toBe('partial')
    expect(await host.flaws('partial')).toEqual([])
  })

  it('may be cancelled after the node: it stays', async () => {
    const host = await ControllersHost.create({ withNode: true })
    const cancel = new AbortController()
    host.run.onMove = (_, what) => {
      if (what === 'stopContainer') cancel.abort(new AgentError('cancelled', 'stopped', { fix: 'none' }))
    }
    expect(await host.upgrade(undefined, cancel.signal)).toBe('partial')
    expect(await host.flaws('partial')).toEqual([])
  })

  it('are still tried where Docker was away in the middle of the node’s commit', async () => {
    const host = await ControllersHost.create({ withNode: true, bad: 'exits' })
    let failed = false
    host.run.onMove = (_, what) => {
      if (what !== 'renameContainer' || failed) return
      failed = true
      throw new AgentError('docker-unreachable', 'away', { fix: 'none' })
    }
    expect(await host.upgrade()).toBe('partial')
    expect(await host.flaws('partial')).toEqual([])
  })
})

const shapes: [string, ControllersOptions][] = [
  ['--restart=always', {}],
  ['--restart=unless-stopped', { policy: 'unless-stopped' }],
  ['live-restore', { liveRestore: true }],
  ['an image that exits', { bad: 'exits' }],
  ['an image that is never ready', { bad: 'never ready' }],
  ['a node', { withNode: true }],
  ['a node, and an image that exits', { withNode: true, bad: 'exits' }],
  ['--rm', { policy: 'no', autoRemove: true }],
]

async function deathsOf(options: ControllersOptions): Promise<Death[]> {
  const host = await ControllersHost.create(options)
  await host.upgrade()
  return host.run.deaths
}

async function flawsOfDeaths(options: ControllersOptions, powerCut: boolean): Promise<string[]> {
  const all: string[] = []
  for (const { at, before } of await deathsOf(options)) {
    const host = await ControllersHost.create(options)
    const ended = await host.upgrade({ at, before })
    if (powerCut) host.powerCycle()
    const outcome = await host.resume()
    // the Engine removes an --rm container in its own time: such runs differ by a move
    const isDead = ended === 'killed' || options.autoRemove === true
    const flaws = isDead ? await host.flaws(outcome) : ['it was not killed']
    all.push(...flaws.map((flaw) => `died ${before ? 'before' : 'after'} move ${at}, ${outcome}: ${flaw}`))
  }
  return all
}

describe('an agent that dies at any moment of it', () => {
  it.each(shapes)('leaves one instance after its resume, with %s', async (_, options) => {
    expect(await flawsOfDeaths(options, false)).toEqual([])
  })

  // what runs with --rm does not outlive a power cut, whoever runs it
  it.each(shapes.slice(0, -1))(
    'leaves one instance after a power cut and its resume, with %s',
    async (_, options) => {
      expect(await flawsOfDeaths(options, true)).toEqual([])
    },
  )
})

describe('an agent that dies while Docker stops the old one', () => {
  it('leaves one instance after its resume, though the stop ends behind it', async () => {
    let at = -1
    const rehearsal = await ControllersHost.create()
    rehearsal.run.onMove = (move, what) => {
      if (what === 'stopContainer') at = move
    }
    await rehearsal.upgrade()

    const host = await ControllersHost.create()
    await host.upgrade({ at, before: true })
    const startedAt = async () => (await host.docker.inspectContainer(host.oldId))?.State.StartedAt
    const asked = await startedAt()
    const outcome = await host.resume()
    if ((await startedAt()) === asked) await host.docker.stopContainer(host.oldId)
    expect(await host.flaws(outcome)).toEqual([])
  })
})

describe('an Engine that starts anew at any moment of it', () => {
  it.each([
    ['always', true],
    ['unless-stopped', true],
    ['on-failure', true],
    ['always', false],
    ['unless-stopped', false],
  ])('under --restart=%s never makes two run; live-restore %s', async (policy, liveRestore) => {
    for (const bad of [undefined, 'exits', 'never ready'] as const) {
      const options = { policy, liveRestore, ...(bad && { bad }) }
      const rehearsal = await ControllersHost.create(options)
      await rehearsal.upgrade()
      for (let at = 0; at < rehearsal.run.moves; at++) {
        const host = await ControllersHost.create(options)
        host.run.onMove = (move) => {
          if (move !== at) return
          if (liveRestore) host.docker.restartEngine()
          else host.docker.powerCycle()
        }
        const flaws = await host.flaws(await host.upgrade())
        expect({ at, bad, flaws }).toEqual({ at, bad, flaws: [] })
      }
    }
  })

  it('would be seen to: two that are started by hand', async () => {
    const host = await ControllersHost.create()
    const image = 'calico/kube-controllers:v3.20.0'
    const HostConfig = { NetworkMode: 'host', RestartPolicy: { Name: 'no' } }
    await host.docker.startContainer(await host.docker.createContainer('two', { Image: image, HostConfig }))
    expect(await host.flaws('nothing')).toEqual([`${image} started beside another`, `2 of ${NAME} run`])
  })
})
