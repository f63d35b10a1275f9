import { describe, expect, it } from 'vitest'
import type { Session } from '../../agent/core/bird/view.ts'
import { AgentError } from '../../agent/core/errors.ts'
import { finalCheck } from '../../agent/steps/gate/final-check.ts'
import { deadSession, restartTimeline, session, upView } from '../fakes/bird.ts'
import { FakeHost, type HostOptions } from './fake-host.ts'

/** The old container started 400 s before the run: what its BIRD shows to the plan, and after the pull. */
function changing(before: Session[], after: Session[]): NonNullable<HostOptions['oldBird']> {
  let first: string | undefined
  return (instance) => {
    first ??= instance
    if (instance !== first) return restartTimeline(instance, after)
    return [
      { at: 0, view: upView(instance, before) },
      { at: 403_000, view: upView(instance, after) },
    ]
  }
}

/** An upgrade whose pull takes 6 s. */
async function upgradeWith(options: HostOptions) {
  const host = await FakeHost.create(options)
  host.agent.onMove = (_, what) => {
    if (what === 'pullImage') host.clock.pass(6_000)
  }
  const outcome = await host.run()
  return { host, outcome, problems: host.agent.state()?.problems ?? [] }
}

describe('what changes during the pull', () => {
  it('a peer that comes up is not released, and must be back', async () => {
    const all = [session(2), session(3), session(9)]
    const { host, outcome } = await upgradeWith({
      oldBird: changing([session(2), session(3), deadSession(9)], all),
      newBird: (instance) => restartTimeline(instance, all),
    })
    expect(outcome).toBe('upgraded')
    expect(host.ops.filter((op) => op.startsWith('disable'))).toEqual([])
  })

  it('a peer that came up and does not come back rolls the new node back', async () => {
    const { outcome, problems } = await upgradeWith({
      oldBird: changing([session(2), session(3), deadSession(9)], [session(2), session(3), session(9)]),
      newBird: (instance) => [{ at: 200, view: upView(instance, [session(2), session(3), deadSession(9)]) }],
    })
    expect(outcome).toBe('rolled-back')
    expect(problems[0]?.message).toContain('session Mesh_192_0_2_9 is not Established')
  })

  it('routes that go away are not asked of the new node', async () => {
    const { outcome, problems } = await upgradeWith({
      oldBird: changing(
        [session(2, { imported: 500 }), session(3)],
        [session(2, { imported: 499 }), session(3)],
      ),
      newBird: (instance) => restartTimeline(instance, [session(2, { imported: 499 }), session(3)]),
    })
    expect(outcome).toBe('upgraded')
    expect(problems).toEqual([])
  })

  it('a neighbor that begins to restart puts the run off before its first move', async () => {
    const restarting = session(3, {
      established: false,
      info: 'Active',
      restarting: { secondsLeft: 116 },
    })
    const { host, outcome, problems } = await upgradeWith({
      oldBird: changing([session(2), session(3)], [session(2), restarting]),
    })
    expect(outcome).toBe('deferred')
    expect(problems).toMatchObject([{ code: 'peer-restarting' }])
    expect(host.ops.filter((op) => /docker (kill|start)/.test(op))).toEqual([])
  })
})

describe('a health check that the old node fails', () => {
  it('is no gate for the new one, and that is said', async () => {
    const { host, outcome } = await upgradeWith({ env: ['FELIX_HEALTHENABLED=true'] })
    expect(outcome).toBe('upgraded')
    expect(host.events).toContainEqual(
      expect.objectContaining({
        type: 'problem',
        problem: expect.objectContaining({ code: 'health-check-failing', severity: 'warning' }) as unknown,
      }),
    )
  })

  it('is still one where it fails for a moment', async () => {
    const host = await FakeHost.create({ env: ['FELIX_HEALTHENABLED=true'] })
    const answers = [503]
    host.probe.httpStatus = () => Promise.resolve(answers.shift() ?? 204)
    expect(await host.run()).toBe('upgraded')
    expect(answers).toEqual([])
    expect(host.events.filter(({ type }) => type === 'problem')).toEqual([])
  })
})

describe('a Felix of the old node that cannot be seen', () => {
  const unseen = new AgentError('docker-refused', 'cannot list the processes', { fix: 'wait' })

  it('for a moment, is watched in the new one', async () => {
    const host = await FakeHost.create()
    host.docker.onProcesses = () => [{ pid: 11, args: 'calico-node -felix' }]
    host.docker.failNext('processes', unseen)
    expect(await host.run()).toBe('upgraded')
    expect(host.agent.text).toContain('"felix":true')
  })

  it('at all, is not, and that is said', async () => {
    const host = await FakeHost.create()
    host.docker.onProcesses = () => {
      throw unseen
    }
    expect(await host.run()).toBe('upgraded')
    expect(host.events.filter(({ type }) => type === 'problem')).toMatchObject([
      { problem: { code: 'health-check-failing' } },
    ])
  })
})

it('a BIRD for IPv6 that answers no more is no reason to go on without it', async () => {
  const host = await FakeHost.create()
  const swap = (await host.plan()).steps.find((step) => step.kind === 'swap-container')
  if (!swap) throw new Error('there is no swap')
  const { old, gate } = swap.args
  const now = { ...gate, daemons: gate.daemons.filter(({ endpoint }) => endpoint.family === 4) }
  const context = {
    ...host.ports(),
    ...{ emit: () => undefined, signal: new AbortController().signal, index: 0, since: 0 },
    recheck: () => Promise.resolve({ gate: now, problems: [] }),
  }
  await expect(finalCheck(old, gate, context)).rejects.toThrow('its BIRD for IPv6 does not answer')
})
