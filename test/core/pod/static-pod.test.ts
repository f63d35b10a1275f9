import { describe, expect, it } from 'vitest'
import { manifestsOf, type ObservedPod } from '../../../agent/core/pod/static-pod.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { observed, wanted } from '../observed.ts'
import { MANIFEST, manifestFile, manifestText, staticControllers } from './static-pods.ts'

const labels = (pod: string, further: Record<string, string> = {}): Record<string, string> => ({
  'io.kubernetes.pod.name': pod,
  'io.kubernetes.pod.namespace': 'default',
  'io.kubernetes.container.name': 'calico-kube-controllers',
  ...further,
})
const UUID = '0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f'

describe('the manifest of a container', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['has the name of its pod but for the node', labels('controllers-host-1'), ['one']],
    ['is the one whose name is longest', labels('controllers-two-host-1'), ['two']],
    ['may be one of several', labels('twice-host-1'), ['three', 'four']],
    ['is of its namespace', labels('controllers-host-1', { 'io.kubernetes.pod.namespace': 'x' }), []],
    ['has its container', labels('controllers-host-1', { 'io.kubernetes.container.name': 'x' }), []],
    [
      'is not of a pod that the API server named',
      labels('controllers-host-1', { 'io.kubernetes.pod.uid': UUID }),
      [],
    ],
    [
      'is of one whose id is a hash',
      labels('controllers-host-1', { 'io.kubernetes.pod.uid': 'a'.repeat(32) }),
      ['one'],
    ],
    ['is not of one of another name', labels('controllersx-host-1'), []],
    ['is not of what has no name of a pod', { 'io.kubernetes.x': 'y' }, []],
  ])('%s', async (_, of, expected) => {
    const files = await Promise.all([
      manifestFile(manifestText(), 'one'),
      manifestFile(manifestText('a:1', 'controllers-two'), 'two'),
      manifestFile(manifestText('a:1', 'twice'), 'three'),
      manifestFile(manifestText('a:1', 'twice'), 'four'),
      manifestFile('kind: [', 'five'),
    ])
    expect(manifestsOf(of, files).map(({ path }) => path)).toEqual(expected)
  })
})

const IMAGE = 'calico/kube-controllers:v3.26.1'

async function problemsOf(changes: Partial<ObservedPod>, Running = true, onlyIfInstalled = false) {
  const controllers = await staticControllers(changes, Running)
  const asked = { ...wanted.controllers, image: IMAGE, onlyIfInstalled }
  const seen = observed({ node: null, image: null, controllers })
  return preflight(seen, { ...wanted, node: { ...wanted.node, image: null }, controllers: asked }).map(
    ({ code, severity, message, fix }) => [severity, code, message, fix] as const,
  )
}

describe('the rules of a static pod', () => {
  it('have nothing against one that can be swapped', async () => {
    expect(await problemsOf({})).toEqual([])
  })

  const facts = (state: 'stopped' | 'missing') => ({
    kubelet: { unit: 'kubelet.service', state, version: null },
  })

  it.each<[string, () => Promise<Partial<ObservedPod>>, string, string]>([
    [
      'the kubelet is stopped',
      () => Promise.resolve(facts('stopped')),
      'kubelet-not-running',
      'kubelet.service is not running',
    ],
    [
      'the manifest is a link',
      async () => ({ manifest: { ...(await manifestFile()), isLink: true } }),
      'static-pod-manifest',
      'is a symbolic link',
    ],
    [
      'the image is shared',
      async () => ({ manifest: await manifestFile(manifestText('&x a:1')) }),
      'static-pod-manifest',
      '&x shares the image',
    ],
    [
      'two are of one pod',
      () => Promise.resolve({ others: ['/x'] }),
      'static-pod-manifest',
      `${MANIFEST} and /x`,
    ],
    [
      'its directory is read-only',
      () => Promise.resolve({ readOnly: 'read-only file system' }),
      'static-pod-manifest',
      'is not writable: read-only file system',
    ],
    [
      'another image runs',
      () => Promise.resolve({ imageId: 'sha256:other' }),
      'static-pod-manifest',
      'which is not the image that is running',
    ],
  ])('refuse where %s', async (_, changes, code, says) => {
    expect(await problemsOf(await changes())).toMatchObject([
      ['error', code, expect.stringContaining(says), expect.anything()],
    ])
    const [byRelease, ...more] = await problemsOf(await changes(), true, true)
    expect(byRelease?.slice(0, 2)).toEqual(['warning', code])
    expect(byRelease?.[2]).toMatch(/^calico-kube-controllers is left alone: /)
    expect(more).toEqual([])
  })

  it('do not refuse where the kubelet is no unit, or the host has no image of that name', async () => {
    expect(await problemsOf({ ...facts('missing'), imageId: null })).toEqual([])
  })

  it('tell where to look for one that does not run', async () => {
    expect(await problemsOf({}, false)).toMatchObject([
      [
        'error',
        'controllers-not-running',
        expect.anything(),
        expect.stringContaining('journalctl -u kubelet'),
      ],
    ])
  })

  it('warn of a kubelet that pulls at each start', async () => {
    const manifest = await manifestFile(manifestText('a:latest'))
    expect((await problemsOf({ manifest })).map(([severity, code]) => [severity, code])).toEqual([
      ['warning', 'manifest-pulls-always'],
    ])
  })
})
