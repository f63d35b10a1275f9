import { birdBaseline } from '../../agent/core/bird/baseline.ts'
import type { BirdUp } from '../../agent/core/bird/view.ts'
import type { Gate } from '../../agent/core/plan/plan.ts'
import type { StepContext } from '../../agent/steps/step.ts'
import { FakeBird, session, type Timeline, upView } from '../fakes/bird.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCniBinaries } from '../fakes/cni-binaries.ts'
import { FakeCniConfigs, FakeKubelet } from '../fakes/cni-config.ts'
import { FakeDatastore } from '../fakes/datastore.ts'
import { FakeDialGuard } from '../fakes/dial-guard.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { FakeKernelRoutes } from '../fakes/kernel-routes.ts'
import { FakeManifests } from '../fakes/manifests.ts'
import { fakeProbe } from '../fakes/probe.ts'
import { FakeSystemd, FakeUnitFiles } from '../fakes/systemd.ts'

const NODE = 'calico/node'

/** What the old BIRD showed, and what the new one shows, of each family that runs. */
export interface Birds {
  old: BirdUp
  now: Timeline
}

/** One peer, with which the session was Established. */
export const onePeer = upView('old', [session(2)])

/** A new container that runs since the clock's 0, which shows `now` already. */
export async function trialOf(birds: { 4: Birds; 6?: Birds }, now = 0, changes: Partial<Gate> = {}) {
  const clock = new FakeClock({ now: 0 })
  const docker = new FakeDocker()
  docker.images.publish(NODE)
  docker.images.pull(NODE, () => undefined)
  const HostConfig = { NetworkMode: 'host', RestartPolicy: { Name: 'no' } }
  const container = await docker.createContainer('calico-node', { Image: NODE, HostConfig })
  await docker.startContainer(container)
  const bird = new FakeBird({
    clock,
    running: () => ({ container, since: 0 }),
    timeline: (_, family) => birds[family]?.now ?? [],
  })
  clock.pass(now)
  const daemons = ([4, 6] as const).flatMap((family) => {
    const endpoint = { family, socket: `/var/run/calico/bird${family}.ctl`, via: 'host' as const }
    const old = birds[family]?.old
    return old ? [{ endpoint, baseline: birdBaseline(old) }] : []
  })
  const gate: Gate = { budgetMs: 90_000, reserveMs: 20_000, settleMs: 1_000, daemons, health: [], ...changes }
  const signal = new AbortController().signal
  const context: StepContext = {
    clock,
    docker,
    bird,
    probe: fakeProbe(),
    datastore: new FakeDatastore(),
    kubernetes: null,
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
  return { trial: { gate, container, goneAt: 0 }, context, clock, docker, bird }
}
