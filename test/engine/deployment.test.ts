import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { bindStep } from '../../agent/steps/registry.ts'
import { awayError } from '../fakes/kubernetes.ts'
import type { FakeDeployment } from '../fakes/kubernetes-deployment.ts'
import type { Fate } from '../fakes/kubernetes-deployment-objects.ts'
import { DeploymentHost, type DeploymentOptions, NEW, OLD } from './deployment-host.ts'

const codes = ({ agent }: DeploymentHost): string[] | undefined =>
  agent.state()?.problems.map(({ code }) => code)
const firstMessage = ({ agent }: DeploymentHost): string | undefined => agent.state()?.problems[0]?.message

describe('a Deployment of the controllers', () => {
  it.each(['RollingUpdate', 'Recreate'] as const)(
    'of strategy %s is upgraded with Recreate',
    async (strategy) => {
      const host = new DeploymentHost({ strategy })
      expect(await host.upgrade()).toBe('upgraded')
      expect(await host.flaws('upgraded')).toEqual([])
      expect(host.agent.state()?.controllersDownMs).toBeGreaterThan(0)
      expect((await host.plan()).steps).toEqual([])
    },
  )

  it('says what it changes', async () => {
    const [pull] = (await new DeploymentHost().plan()).steps
    expect(pull && bindStep(pull).summary).toContain(
      `to ${NEW}, and its strategy from RollingUpdate to Recreate`,
    )
  })

  it('gets the strategy alone where the image is there', async () => {
    const host = new DeploymentHost()
    const { steps } = await host.plan(OLD)
    expect(steps).toMatchObject([
      { args: { from: OLD, to: OLD, strategy: 'RollingUpdate' } },
      { kind: 'commit' },
    ])
    const tools = { ports: () => host.ports() }
    expect(await host.agent.begin(await host.plan(OLD), tools)).toBe('upgraded')
    expect(host.cluster.spec).toMatchObject({ image: OLD, strategy: { type: 'Recreate' } })
    expect(host.cluster.violations).toEqual([])
  })

  it('starts its pod again with a config that it reads', async () => {
    const host = new DeploymentHost({ strategy: 'Recreate' })
    const before = host.cluster.pods
    const outcome = await host.agent.begin(await host.planConfig(), { ports: () => host.ports() })
    expect({ outcome, codes: codes(host) }).toEqual({ outcome: 'upgraded', codes: [] })
    expect(host.cluster.spec).toMatchObject({ image: OLD, config: 'm1' })
    expect(host.cluster.pods).not.toEqual(before)
    expect(host.cluster.running).toEqual([OLD])
    expect(host.cluster.violations).toEqual([])
  })

  it('is put back without the config where its pod does not come up with it', async () => {
    const host = new DeploymentHost({ strategy: 'Recreate' })
    const plan = await host.planConfig()
    host.agent.onMove = (_, what) => {
      if (what === 'get') host.cluster.fates.set(OLD, host.cluster.spec.config === 'm1' ? 'crashes' : 'runs')
    }
    expect(await host.agent.begin(plan, { ports: (move) => host.ports(move) })).toBe('rolled-back')
    expect(host.cluster.spec.config).toBeUndefined()
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it.each<[Fate, string]>([
    ['crashes', 'CrashLoopBackOff: back-off 10s restarting failed container; its last exit code is 1'],
    ['is not pulled', 'ImagePullBackOff: Back-off pulling image'],
    ['is not scheduled', 'is Pending: Unschedulable: 0/2 nodes are available'],
  ])('is put back, with its strategy, where the new pod %s', async (fate, words) => {
    const host = new DeploymentHost({ fate })
    expect(await host.upgrade()).toBe('rolled-back')
    expect(codes(host)).toEqual(['controllers-failed'])
    expect(firstMessage(host)).toContain(words)
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it('is stuck where the old image does not come back either, and says why', async () => {
    const host = new DeploymentHost({ fate: 'crashes' })
    host.agent.onMove = (_, what) => {
      if (what === 'patch') host.cluster.fates.set(OLD, 'is not scheduled')
    }
    expect(await host.upgrade()).toBe('stuck')
    expect(codes(host)).toEqual(['controllers-failed', 'not-restored'])
    expect(host.cluster.spec).toMatchObject({ image: OLD, strategy: { type: 'Recreate' } })
  })

  it('is left to somebody else who edits it meanwhile', async () => {
    const theirs = 'calico/kube-controllers:theirs'
    const host = new DeploymentHost()
    host.agent.onMove = (_, what) => {
      if (what === 'get' && host.cluster.spec.image === NEW) host.cluster.edit({ image: theirs })
    }
    expect(await host.upgrade()).toBe('rolled-back')
    expect(codes(host)).toEqual(['template-changed', 'template-changed'])
    expect(host.cluster.spec.image).toBe(theirs)
  })

  it('is not put back over an edit that was made while the new pod failed', async () => {
    const host = new DeploymentHost({ fate: 'crashes' })
    host.agent.onMove = (_, what) => {
      if (what === 'get' && host.cluster.spec.image === NEW && host.cluster.spec.replicas === 1)
        host.cluster.edit({ replicas: 2 })
    }
    expect(await host.upgrade()).toBe('rolled-back')
    expect(codes(host)).toContain('template-changed')
    expect(host.cluster.spec).toMatchObject({ image: NEW, replicas: 2 })
  })

  it('is left to somebody else who edits it during the way back', async () => {
    const theirs = 'calico/kube-controllers:theirs'
    const host = new DeploymentHost({ fate: 'crashes' })
    let isBack = false
    host.agent.onMove = (_, what) => {
      const { image } = host.cluster.spec
      if (what === 'get' && isBack && image === OLD) host.cluster.edit({ image: theirs })
      isBack ||= what === 'patch' && image === NEW
    }
    expect(await host.upgrade()).toBe('rolled-back')
    expect(codes(host)).toEqual(['controllers-failed', 'template-changed'])
    expect(host.cluster.spec.image).toBe(theirs)
  })

  it('is not changed where somebody else was faster', async () => {
    const host = new DeploymentHost()
    const plan = await host.plan()
    host.cluster.edit({ image: 'calico/kube-controllers:theirs' })
    expect(await host.agent.begin(plan, { ports: () => host.ports() })).toBe('refused')
    expect(codes(host)).toEqual(['template-changed'])
  })

  it('is not changed again where another host gave it the same image meanwhile', async () => {
    const host = new DeploymentHost({ strategy: 'Recreate' })
    const plan = await host.plan()
    host.cluster.edit({ image: NEW })
    expect(await host.agent.begin(plan, { ports: () => host.ports() })).toBe('upgraded')
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('is watched through an API server that restarts', async () => {
    const host = new DeploymentHost()
    host.agent.onMove = (_, what) => {
      if (what !== 'get' || host.cluster.spec.image !== NEW || host.cluster.away) return
      host.agent.onMove = () => undefined
      host.cluster.away = awayError()
      void host.clock.sleep(60_000).then(() => {
        host.cluster.away = null
      })
    }
    expect(await host.upgrade()).toBe('upgraded')
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('waits for a resume where the API server stays away, and goes on then', async () => {
    const host = new DeploymentHost()
    host.agent.onMove = (_, what) => {
      if (what === 'get' && host.cluster.spec.image === NEW) host.cluster.away = awayError()
    }
    expect(await host.upgrade()).toBe('stuck')
    host.agent.onMove = () => undefined
    host.cluster.away = null
    const outcome = await host.resume()
    expect(await host.flaws(outcome)).toEqual([])
  })

  it('comes back where the run is cancelled', async () => {
    const host = new DeploymentHost()
    const cancel = new AbortController()
    host.agent.onMove = (_, what) => {
      if (what === 'get' && host.cluster.spec.image === NEW)
        cancel.abort(new AgentError('cancelled', 'stopped', { fix: 'none' }))
    }
    expect(await host.upgrade(undefined, cancel.signal)).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})

/** What goes wrong when the agent dies at any of its moves, and is resumed so long after. */
async function flawsOfDeaths(options: DeploymentOptions, waitMs: number): Promise<string[]> {
  const whole = new DeploymentHost(options)
  await whole.upgrade()
  const all: string[] = []
  for (const { at, before } of whole.agent.deaths) {
    const host = new DeploymentHost(options)
    const isDead = (await host.upgrade({ at, before })) === 'killed'
    if (waitMs > 0) await host.clock.sleep(waitMs)
    const outcome = await host.resume()
    const flaws = isDead ? await host.flaws(outcome) : ['it was not killed']
    all.push(...flaws.map((flaw) => `died ${before ? 'before' : 'after'} move ${at}, ${outcome}: ${flaw}`))
  }
  return all
}

describe('an agent that dies at any moment of it', () => {
  it.each<[DeploymentOptions, number]>([
    [{}, 0],
    [{}, 15_000],
    [{ strategy: 'Recreate' }, 0],
    [{ fate: 'crashes' }, 0],
    [{ fate: 'crashes' }, 15_000],
    [{ fate: 'is not pulled', strategy: 'Recreate' }, 0],
  ])(
    'leaves one instance: %o, resumed after %i ms',
    async (options, waitMs) => {
      expect(await flawsOfDeaths(options, waitMs)).toEqual([])
    },
    60_000,
  )
})

describe('the cluster of these tests', () => {
  it('runs two at once when the image is changed under RollingUpdate', async () => {
    const host = new DeploymentHost()
    host.cluster.edit({ image: NEW })
    const [flaw] = await host.flaws('upgraded')
    expect(flaw).toBe('two run')
  })
})

const edited =
  (...changes: Parameters<FakeDeployment['edit']>) =>
  (cluster: FakeDeployment): void => {
    cluster.edit(...changes)
  }

describe('what stands against it', () => {
  it.each<[string, (cluster: FakeDeployment, host: DeploymentHost) => unknown, string[]]>([
    ['nothing', () => undefined, []],
    [
      'an operator that keeps it',
      (cluster) => (cluster.keeper = 'default'),
      ['error controllers-deployment'],
    ],
    ['a pause', edited({ paused: true }), ['error controllers-deployment']],
    ['no replicas', edited({ replicas: 0 }), ['error controllers-deployment']],
    ['two replicas', edited({ replicas: 2 }), ['error controllers-deployment']],
    [
      'an API server that is away',
      (cluster) => (cluster.away = awayError()),
      ['error kubernetes-unreachable'],
    ],
    [
      'a rollout that is not done',
      edited({ image: 'calico/kube-controllers:theirs' }),
      ['error deployment-rolling'],
    ],
    [
      'another program',
      (cluster, { clock }) => {
        cluster.edit({ image: 'nginx' })
        clock.pass(60_000)
      },
      ['error not-controllers'],
    ],
  ])('is %s', async (_, arrange, expected) => {
    const host = new DeploymentHost({ strategy: 'Recreate' })
    arrange(host.cluster, host)
    expect(await host.objections()).toEqual(expected)
  })

  it('is an image that the registry does not have, unless only the kubelet could know', async () => {
    const host = new DeploymentHost()
    expect(await host.objections('calico/kube-controllers:none')).toEqual(['error image-not-found'])
    host.cluster.hasPullSecrets = true
    expect(await host.objections('calico/kube-controllers:none')).toEqual(['warning image-not-found'])
  })
})
