import { describe, expect, it } from 'vitest'
import type { ObservedCni, ObservedImage } from '../../../agent/core/model.ts'
import { upgradePlan } from '../../../agent/core/plan/build.ts'
import { settleByHand } from '../../../agent/core/plan/by-hand/by-hand.ts'
import { commandIn } from '../../../agent/core/pod/command-in.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { hostedNode, images } from '../daemon-set.ts'
import { container, image, node, observed, wanted } from '../observed.ts'
import { staticControllers } from '../pod/static-pods.ts'

const engine = { name: 'host-1', architecture: 'amd64', os: 'linux', runtime: 'containerd://1.6.20' }
const NEW = 'calico/node:v3.20.0'
/** What only a pull can tell. */
const unasked: ObservedImage = { ref: NEW, local: null, remote: { unasked: true } }
const asked = { ...wanted, node: { ...wanted.node, image: NEW } }

const plugins: ObservedCni = {
  installed: [{ name: 'calico', sha256: null, version: null }],
  ...{ offered: null, version: null, problems: [], nodename: { written: true, optional: false } },
  image: { ref: 'calico/cni:v3.20.0', local: null, remote: { unasked: true } },
}

const upgraded = () => {
  const leftovers = { containers: [], images: [], files: [] }
  const seen = observed({ engine, node: hostedNode(), image: unasked })
  return upgradePlan({ run: 'r1', wanted: asked, observed: seen, leftovers }).plan
}

describe('a host without Docker', () => {
  it('pulls an image of which nothing is known, and refuses nothing for that', () => {
    expect(upgraded().steps[0]).toMatchObject({ kind: 'pull-image', args: { image: NEW } })
    const seen = observed({ engine, node: hostedNode(), image: unasked })
    expect(preflight(seen, asked).filter(({ severity }) => severity === 'error')).toEqual([])
  })

  it('has nothing to do for the image that its pod has', () => {
    const pod = { name: 'calico-node-1', uid: 'uid-1', node: 'host-1', images: images(NEW) }
    const kept = hostedNode({ pod, template: images(NEW) })
    const local = { ...image('1', `calico/node@${kept.container.Image}`), Id: kept.container.Image }
    const seen = observed({ engine, node: kept, image: { ...unasked, local } })
    const leftovers = { containers: [], images: [], files: [] }
    expect(upgradePlan({ run: 'r1', wanted: asked, observed: seen, leftovers }).plan.steps).toEqual([])
  })

  it('says why no container is found', () => {
    const problems = preflight(observed({ engine, node: null, image: unasked }), asked)
    expect(problems).toMatchObject([
      {
        code: 'container-missing',
        message: expect.stringContaining(
          'the container runtime is containerd://1.6.20: without Docker',
        ) as string,
      },
    ])
  })

  it('cannot copy CNI plugins out of an image that no DaemonSet installs', () => {
    const withImage = (seen: Parameters<typeof observed>[0]): string[] =>
      preflight(observed({ ...seen, image: null, cni: plugins }), wanted).map(({ code }) => code)
    expect(withImage({ engine, node: node() })).toContain('docker-needed')
    expect(withImage({ engine, node: hostedNode() })).not.toContain('docker-needed')
    expect(withImage({ node: node() })).not.toContain('docker-needed')
  })

  it('leaves static pods alone', async () => {
    const controllers = await staticControllers()
    const controllersImage = { ...unasked, ref: 'calico/kube-controllers:v3.26.1' }
    const all = { node: null, image: null, controllers, controllersImage }
    const named = { ...wanted, controllers: { ...wanted.controllers, image: controllersImage.ref } }
    expect(preflight(observed({ ...all, engine }), named)).toMatchObject([
      { code: 'docker-needed', severity: 'error' },
    ])
    const byRelease = { ...named, controllers: { ...named.controllers, onlyIfInstalled: true } }
    expect(preflight(observed({ ...all, engine }), byRelease)).toMatchObject([
      { code: 'docker-needed', severity: 'warning' },
    ])
    expect(preflight(observed(all), named)).toEqual([])
  })

  it('is settled by hand without Docker', () => {
    const text = settleByHand(upgraded(), '/j') ?? ''
    expect(text).toContain('crictl ps -a --name calico-node')
    expect(text).toContain('kill -KILL $(crictl inspect')
    expect(text).not.toContain('docker')
  })
})

describe('a command in a container', () => {
  it('is run by Docker, or in the pod by kubectl', () => {
    expect(commandIn(container(), 'birdcl show status')).toBe('docker exec calico-node birdcl show status')
    const Labels = {
      'io.kubernetes.pod.name': 'calico-node-x',
      'io.kubernetes.pod.namespace': 'kube-system',
      'io.kubernetes.container.name': 'calico-node',
    }
    expect(commandIn(container({ Config: { Labels } }), 'birdcl show status')).toBe(
      'kubectl -n kube-system exec calico-node-x -c calico-node -- birdcl show status',
    )
  })
})
