import { describe, expect, it } from 'vitest'
import type { Observed, ObservedControllers, ObservedImage } from '../../../agent/core/model.ts'
import { upgradePlan } from '../../../agent/core/plan/build.ts'
import { pulledProblems } from '../../../agent/core/preflight.ts'
import { withImages } from '../../../agent/core/release/pulled-images.ts'
import { container, digest, image, newImage, node, observed, wanted } from '../observed.ts'

function asked(ref: string): ObservedImage {
  return { ref, local: null, remote: { digest: digest('b'), platforms: [] } }
}

/** What comes under the reference. */
function pulled(ref: string, version: string) {
  const repository = ref.replace(/:[^:]*$/, '')
  const Labels = { 'org.opencontainers.image.version': version }
  return new Map([[ref, { ...image('2', `${repository}@${digest('b')}`), Config: { Labels } }]])
}

function codesOnce(host: Observed, ref: string, version: string, allow: string[] = []): string[] {
  const now = withImages(host, pulled(ref, version))
  return pulledProblems(host, now, { ...wanted, allow }).map(({ severity, code }) => `${severity} ${code}`)
}

const CNI = 'calico/cni:latest'
const CONTROLLERS = 'calico/kube-controllers:latest'

const plugins = (version: string) =>
  observed({
    image: null,
    companions: { cni: version, controllers: null },
    cni: {
      installed: [{ name: 'calico', sha256: 'a'.repeat(64), version }],
      offered: null,
      version: null,
      image: asked(CNI),
      nodename: { written: true, optional: false },
      problems: [],
    },
  })

function controllers(from: string, env: string[] = []): Observed {
  const running: ObservedControllers = {
    container: { ...container({ Config: { Image: from, Env: env } }), Name: '/calico-kube-controllers' },
    image: image('1', `calico/kube-controllers@${digest('a')}`),
    owner: { kind: 'docker' },
    unit: null,
  }
  return observed({ image: null, controllers: running, controllersImage: asked(CONTROLLERS) })
}

describe('what the pull brings to light', () => {
  it('is judged of the CNI plugins', () => {
    expect(codesOnce(plugins('1.11.8'), CNI, 'v3.9.0')).toEqual(['error datastore-migration'])
    expect(codesOnce(plugins('3.9.0'), CNI, 'v3.1.0')).toEqual(['error downgrade'])
    expect(codesOnce(plugins('1.11.2'), CNI, 'v1.11.8')).toEqual([])
  })

  it('is judged of the controllers', () => {
    const old = controllers('calico/kube-controllers:v1.0.2')
    expect(codesOnce(old, CONTROLLERS, 'v3.9.0')).toEqual(['error datastore-migration'])
    expect(codesOnce(old, CONTROLLERS, 'v3.9.0', ['datastore-migration'])).toEqual([
      'warning datastore-migration',
    ])
    expect(codesOnce(old, CONTROLLERS, 'v1.0.5')).toEqual([])
  })

  it('is judged of all images together', () => {
    const Config = { Image: 'calico/node:v2.6.12' }
    const host = { ...plugins('1.11.8'), node: node({ container: container({ Config }) }) }
    const both = { ...host, image: asked('calico/node:latest') }
    const now = withImages(
      both,
      new Map([...pulled(CNI, 'v3.9.0'), ...pulled('calico/node:latest', 'v3.9.0')]),
    )
    const [problem] = pulledProblems(both, now, wanted)
    expect(problem?.message).toContain('node from v2.6.12 to v3.9.0 and cni from v1.11.8 to v3.9.0')
  })

  it('is not said again where it was known before', () => {
    const host = observed({ image: { ...newImage, ref: 'calico/node:v2.6.4' } })
    expect(codesOnce(host, 'calico/node:v2.6.4', 'v2.6.4')).toEqual([])
  })
})

describe('the pull of an upgrade', () => {
  it('knows the digest that it was planned for, and what the rules look at, BIRD left out', () => {
    const host = observed()
    const leftovers = { containers: [], images: [], files: [] }
    const { plan } = upgradePlan({ run: 'r', wanted, observed: host, leftovers })
    expect(plan.steps[0]).toEqual({
      kind: 'pull-image',
      component: 'node',
      args: {
        image: newImage.ref,
        digest: digest('b'),
        judged: { observed: { ...host, node: { ...host.node, daemons: [] } }, wanted },
      },
    })
  })
})
