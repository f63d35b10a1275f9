import { describe, expect, it } from 'vitest'
import { birdBaseline } from '../../agent/core/bird/baseline.ts'
import type { BirdView } from '../../agent/core/bird/view.ts'
import { watchTrial } from '../../agent/steps/gate.ts'
import { awaitSafeStop } from '../../agent/steps/restored.ts'
import type { StepContext } from '../../agent/steps/step.ts'
import { FakeBird, session, type Timeline, upView } from '../fakes/bird.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCniBinaries } from '../fakes/cni-binaries.ts'
import { FakeCniConfigs, FakeKubelet } from '../fakes/cni-config.ts'
import { FakeDialGuard } from '../fakes/dial-guard.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { FakeKernelRoutes } from '../fakes/kernel-routes.ts'
import { FakeManifests } from '../fakes/manifests.ts'
import { fakeProbe } from '../fakes/probe.ts'
import { FakeSystemd, FakeUnitFiles } from '../fakes/systemd.ts'

const silent: BirdView = { state: 'silent' }
const recovering = upView('new', [session(2)], true)
const recovered = upView('new', [session(2)])
const old = upView('old', [session(2)])

/** A new container that runs since the clock's 0, with a BIRD that shows the timeline. */
async function trialOf(timeline: Timeline, now: number) {
  const clock = new FakeClock({ now: 0 })
  const docker = new FakeDocker()
  docker.images.publish('calico/node')
  docker.images.pull('calico/node', () => undefined)
  const HostConfig = { NetworkMode: 'host', RestartPolicy: { Name: 'no' } }
  const container = await docker.createContainer('calico-node', { Image: 'calico/node', HostConfig })
  await docker.startContainer(container)
  const bird = new FakeBird({ clock, running: () => ({ container, since: 0 }), timeline: () => timeline })
  clock.pass(now)
  const endpoint = { family: 4, socket: '/var/run/calico/bird.ctl', via: 'host' } as const
  const daemons = [{ endpoint, baseline: birdBaseline(old) }]
  const gate = { budgetMs: 90_000, reserveMs: 20_000, settleMs: 1_000, daemons, health: [] }
  const signal = new AbortController().signal
  const context: StepContext = {
    clock,
    docker,
    bird,
    probe: fakeProbe(),
    routes: new FakeKernelRoutes(),
    dialGuard: new FakeDialGuard(),
    cni: new FakeCniBinaries(),
    configs: new FakeCniConfigs(),
    kubelet: new FakeKubelet(() => null),
    manifests: new FakeManifests(),
    systemd: new FakeSystemd(docker),
    unitFiles: new FakeUnitFiles(),
    emit: () => undefined,
    index: 0,
    since: 0,
    signal,
  }
  return { trial: { gate, container, goneAt: 0 }, context, clock }
}

describe('a BIRD that does not answer', () => {
  it('is not stopped by a watch that has not seen it before', async () => {
    const { trial, context, clock } = await trialOf(
      [
        { at: 0, view: silent },
        { at: 80_000, view: recovering },
        { at: 85_000, view: recovered },
      ],
      75_000,
    )
    expect(await awaitSafeStop(trial, context)).toBe(true)
    expect(clock.now()).toBeGreaterThanOrEqual(86_000)
  })

  it.each<[string, Timeline, number]>([
    // BIRD's hold time and its wait for End-of-RIB, 240 s both
    [
      'it hung in its recovery',
      [
        { at: 0, view: recovering },
        { at: 5_000, view: silent },
      ],
      245_000,
    ],
    ['it was never heard', [{ at: 0, view: silent }], 70_000],
  ])('is given up when its peers have given it up as well: %s', async (_, timeline, at) => {
    const { trial, context, clock } = await trialOf(timeline, 0)
    const result = await watchTrial(trial, context)
    expect(result).toMatchObject({ passed: false, reason: 'out-of-time', unmet: ['BIRD does not answer'] })
    expect(Math.abs(clock.now() - at)).toBeLessThan(1_000)
    await awaitSafeStop(trial, context)
    expect(clock.now() - at).toBeLessThan(12_000)
  })

  it('is waited for while it may still recover', async () => {
    const { trial, context } = await trialOf(
      [
        { at: 0, view: recovering },
        { at: 5_000, view: silent },
        { at: 200_000, view: recovered },
      ],
      0,
    )
    expect(await watchTrial(trial, context)).toMatchObject({ passed: true })
  })
})
