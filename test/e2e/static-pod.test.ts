// kube-controllers as a static pod: the manifest is what is changed, and two never run at once.

import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { StatusReport } from '../../agent/core/report/status.ts'
import { installFaultyAgent } from '../faults/build.ts'
import { FAULTY_AGENT } from '../faults/trial.ts'
import { type Host, pullImage, until } from '../lab/index.ts'
import { controllers, mostAtOnce, overlaps } from './controllers.ts'
import {
  installPodKubelet,
  KUBELET,
  MANIFEST,
  manifest,
  manifestFiles,
  podImages,
  putManifest,
  runStaticPod,
  untilRuns,
} from './static-pods.ts'
import * as support from './support.ts'

const [OLD, NEW] = [controllers('v3.20.0'), controllers('v3.26.1')]
const FILE = 'calico-kube-controllers.yaml 640 65534:42'

let host: Host

beforeAll(async () => {
  await installFaultyAgent(support.lab)
})

beforeEach(async () => {
  host = (await support.world()).host
  await support.configure(host, { window: 60, settle: 2, kubelet: { unit: KUBELET } })
  await installPodKubelet(host)
})

async function begin(text = manifest(OLD)): Promise<void> {
  await runStaticPod(host, OLD, text)
  await host.ok(['chown', '65534:42', MANIFEST])
}

const upgrade = (target = NEW) => support.agent(host, 'upgrade', '--controllers', target)

/** One instance of the image runs, by a manifest that is nothing but that, and there were never two. */
async function expectWhole(where: string, target: string, since: number | null): Promise<void> {
  expect({ where, images: await podImages(host) }).toEqual({ where, images: [target] })
  expect({ where, text: await host.readFile(MANIFEST) }).toEqual({ where, text: manifest(target) })
  expect({ where, files: await manifestFiles(host) }).toEqual({ where, files: [FILE] })
  // of a power cut Docker tells no end: there the controllers' own lock speaks alone
  const watched = [since === null ? 1 : await mostAtOnce(host, since), await overlaps(host)]
  expect({ where, watched }).toEqual({ where, watched: [1, ''] })
}

describe('controllers of a static pod', () => {
  it('are swapped by their manifest, and put back', async () => {
    const since = Date.now()
    await begin()
    const status = JSON.parse(await host.ok(['agent', 'status', '--json'])) as StatusReport
    expect(status.controllers).toMatchObject({
      image: OLD,
      version: '3.20.0',
      owner: { kind: 'static-pod', manifest: MANIFEST },
    })
    const plan = await support.agent(host, 'plan', '--controllers', NEW)
    expect(plan.report.diff).toEqual([{ target: MANIFEST, before: shown(OLD), after: shown(NEW) }])

    const { code, report } = await upgrade()
    expect({ code, outcome: report.outcome, problems: report.problems }).toEqual({
      code: 0,
      outcome: 'upgraded',
      problems: [],
    })
    expect(report.controllersDownMs).toBeGreaterThan(1_000)
    expect(report.controllersDownMs).toBeLessThan(30_000)
    await expectWhole('upgraded', NEW, since)
    expect((await upgrade()).report.outcome).toBe('unchanged')

    const back = await support.agent(host, 'rollback')
    expect(back).toMatchObject({ code: 0, report: { outcome: 'rolled-back', changed: true } })
    await expectWhole('rolled back', OLD, since)
  })

  it('come with a release', async () => {
    await begin()
    const allowed = ['datastore-migration', 'dropped-env', 'downgrade'].flatMap((rule) => ['--allow', rule])
    const kubelet = { unit: KUBELET }
    await support.configure(host, { release: 'v3.26.1', registry: support.lab.registry.address, kubelet })
    const plan = await support.agent(host, 'plan', ...allowed)
    expect(plan.report.components.controllers).toEqual({ from: OLD, to: NEW })
  })

  it('that fail give way to the old ones', async () => {
    const since = Date.now()
    await begin()
    const { code, report } = await upgrade(controllers('exits-at-once'))
    expect({ code, outcome: report.outcome }).toEqual({ code: 4, outcome: 'rolled-back' })
    expect(report.problems[0]).toMatchObject({
      code: 'controllers-failed',
      message: expect.stringContaining('it does not stay up') as string,
    })
    await expectWhole('rolled back', OLD, since)
  })

  it('are refused while the kubelet does not run', async () => {
    await begin()
    await host.ok(['systemctl', 'stop', KUBELET])
    support.expectRefused(await upgrade(), 'kubelet-not-running')
    expect(await host.readFile(MANIFEST)).toBe(manifest(OLD))
  })

  it('are refused where the manifest cannot be edited', async () => {
    const anchored = manifest(OLD).replace('image:   ', 'image: &ours ')
    await begin(anchored)
    support.expectRefused(await upgrade(), 'static-pod-manifest')
    expect(await host.readFile(MANIFEST)).toBe(anchored)
  })
})

const shown = (controllers: string): string => manifest(controllers).replace('hunter2', '<redacted>')

/**
 * After each change of a swap, before the second one, when the kubelet has ended the old ones, and when the new ones have
 * passed their trial. What comes between finds the same host; test/engine/static-pod.test.ts has those deaths as well.
 */
const POINTS = [
  'after manifests.takeOut#1',
  'before manifests.put#1',
  'after manifests.put#1',
  'after journal.append#9',
  'after configs.remove#1',
]

describe('controllers of a static pod whose agent dies', () => {
  it.each<[string, string[], boolean]>([
    ['at each of its changes', POINTS, false],
    [
      'and its host with it',
      ['after manifests.takeOut#1', 'before manifests.put#1', 'after manifests.put#1'],
      true,
    ],
  ])(
    '%s',
    async (_, points, powerCut) => {
      const since = Date.now()
      await begin()
      for (const point of points) {
        const from = (await podImages(host))[0] ?? ''
        const to = from === OLD ? NEW : OLD
        const argv = [
          `/opt/calico-agent/${FAULTY_AGENT}`,
          'upgrade',
          '--controllers',
          to,
          '--json',
          '--allow',
          'downgrade',
        ]
        const { code } = await host.run(argv, { env: { AGENT_FAULT: `${point}=kill` } })
        expect({ point, code }).toEqual({ point, code: 137 })
        if (powerCut) {
          await host.powerCut()
          await host.powerOn()
        }
        const { outcome } = (await support.agent(host, 'resume')).report
        expect(['upgraded', 'rolled-back']).toContain(outcome)
        const now = outcome === 'upgraded' ? to : from
        await untilRuns(host, now)
        await expectWhole(point, now, powerCut ? null : since)
      }
    },
    900_000,
  )
})

describe('calico/node of a static pod', () => {
  it('is refused, and status says so', async () => {
    const label = (name: string, value: string) => `--label=io.kubernetes.${name}=${value}`
    const labels = [
      label('pod.name', 'calico-node-host'),
      label('pod.namespace', 'kube-system'),
      label('container.name', 'calico-node'),
    ]
    host = (await support.world({ args: labels })).host
    await support.configure(host, { kubelet: { manifests: '/etc/kubernetes/static' } })
    const text = manifest(support.image('v2.6.5')).replaceAll('calico-kube-controllers', 'calico-node')
    await host.writeFile('/etc/kubernetes/static/node.yaml', text)
    const refused = await support.agent(host, 'upgrade', '--node', support.image('v2.6.12'))
    support.expectRefused(refused, 'hosted-install')
    expect(refused.report.problems[0]?.message).toContain('stops BIRD with TERM')
    expect(refused.report.problems[0]?.fix).toContain('/etc/kubernetes/static/node.yaml')
    const said = await host.ok(['agent', 'status'])
    expect(said).toContain('kept running by the kubelet, as a static pod: /etc/kubernetes/static/node.yaml')
  })
})

describe('the stand-in for a kubelet', () => {
  it('runs two at once when a manifest is edited in its place', async () => {
    const slow = (target: string): string => manifest(target, 10)
    const stubborn = controllers('ignores-term')
    const since = Date.now()
    await runStaticPod(host, stubborn, slow(stubborn))
    await pullImage(host, NEW)
    await putManifest(host, slow(NEW))
    await untilRuns(host, NEW)
    await until('one to see the other', async () => (await overlaps(host)) !== '')
    expect(await mostAtOnce(host, since)).toBe(2)
    expect(await overlaps(host)).toContain('found another one at work')
  })
})
