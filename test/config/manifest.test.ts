import { describe, expect, it } from 'vitest'
import { loadConfig, mergeFlags, withManifest } from '../../agent/config/load.ts'
import type { Config } from '../../agent/config/schema.ts'
import { checkTarget, wantedOf } from '../../agent/config/wanted.ts'

const PATH = '/etc/calico-agent/calico.yaml'
const CLUSTER = 'kubernetes: { inCluster: true }'
const MANIFEST = `
---
apiVersion: v1
kind: ConfigMap
metadata: { name: calico-config, namespace: kube-system }
data: { veth_mtu: "1440" }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: calico-node, namespace: kube-system }
spec:
  template:
    spec:
      initContainers: [{ name: install-cni, image: calico/cni:v3.20.0 }]
      containers:
        - name: calico-node
          image: calico/node:v3.20.0
          envFrom: [{ configMapRef: { name: calico-config } }]
`

const config = (text: string): Promise<Config> =>
  loadConfig('agent.yaml', true, () => Promise.resolve(Buffer.from(text)))
const asked = `hosted: { manifest: ${PATH} }\n${CLUSTER}`
const loaded = async (manifest: string | undefined): Promise<Config> =>
  await withManifest(await config(asked), () =>
    Promise.resolve(manifest === undefined ? undefined : Buffer.from(manifest)),
  )

describe('hosted.manifest', () => {
  it('asks for its images and its keys', async () => {
    expect(wantedOf(await loaded(MANIFEST), [])).toMatchObject({
      node: { image: 'calico/node:v3.20.0' },
      cni: { source: { kind: 'image', image: 'calico/cni:v3.20.0' } },
      controllers: { image: null },
      configMap: { keys: { veth_mtu: '1440' } },
      manifest: { path: PATH },
    })
  })

  it('is read as kubectl reads it: modes in octal, and keys that are merged', async () => {
    const volumes = 'volumes: [{ name: certs, secret: { secretName: etcd, defaultMode: 0400 } }]'
    const base = 'metadata: &m { name: calico-node, namespace: kube-system }'
    const text = MANIFEST.replace('      initContainers', `      ${volumes}\n      initContainers`).replace(
      'metadata: { name: calico-node, namespace: kube-system }\nspec',
      `${base}\nother: { <<: *m }\nspec`,
    )
    const { object } = (await loaded(text)).manifest?.daemonSet ?? {}
    expect(JSON.stringify(object)).toContain('"defaultMode":256')
    expect(object?.['other']).toEqual({ name: 'calico-node', namespace: 'kube-system' })
  })

  it('may be a List, as kubectl prints one', async () => {
    const items = (await loaded(MANIFEST)).manifest?.daemonSet.object
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [items] })
    expect((await loaded(list)).manifest?.daemonSet.image).toBe('calico/node:v3.20.0')
  })

  it.each([
    ['that is missing', undefined, `hosted.manifest: cannot read ${PATH}: no such file`],
    ['that is no YAML', `${MANIFEST}\n  a: [b`, `hosted.manifest: cannot take ${PATH}:`],
    ['with an alias of nothing', `${MANIFEST}---\na: *nope`, `cannot take ${PATH}:19: Unresolved alias`],
    ['with a merge of a text', `${MANIFEST}---\na: { <<: text }`, `cannot take ${PATH}:19: Merge sources`],
    [
      'with containers that are none',
      MANIFEST.replace('[{ name: install-cni,', '7 # {'),
      `${PATH}: it has no DaemonSet`,
    ],
    ['with another document', 'a: 1', `${PATH}:1: the document is no object of Kubernetes`],
    ['with a text', 'hello', `${PATH}:1: the document is no object of Kubernetes`],
    ['without a calico/node', MANIFEST.split('---')[1], `${PATH}: it has no DaemonSet of calico/node`],
  ])('a file %s is refused', async (_, text, message) => {
    await expect(loaded(text)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message) as string,
    })
  })

  it.each([
    ['release: v3.20.0', 'release'],
    ['node: { image: calico/node:v1 }', 'node.image'],
    ['controllers: { image: calico/kube-controllers:v1 }', 'controllers.image'],
    ['cni: { image: calico/cni:v1 }', 'cni.image'],
  ])('names what %s does, and both are refused', async (line, key) => {
    await expect(config(`${asked}\n${line}`)).rejects.toThrow(
      `${key}: hosted.manifest says this: remove one of the two`,
    )
  })

  it('is refused beside single keys, without a cluster, and beside a flag', async () => {
    await expect(config(`hosted: { manifest: ${PATH}, configMap: { a: b } }\n${CLUSTER}`)).rejects.toThrow(
      'hosted.configMap',
    )
    await expect(config(`hosted: { manifest: ${PATH} }`)).rejects.toThrow('name the cluster in kubernetes')
    const plain = await config(asked)
    expect(() => mergeFlags(plain, { node: 'calico/node:v1' })).toThrow('--node: hosted.manifest says this')
  })

  it('is applied as a whole', async () => {
    const whole = await loaded(MANIFEST)
    expect(() => {
      checkTarget(wantedOf(whole, [], ['node']), 'agent.yaml', ['node'])
    }).toThrow('cannot upgrade only node: hosted.manifest is applied as a whole')
    expect(() => {
      checkTarget(wantedOf(whole, []), 'agent.yaml', undefined)
    }).not.toThrow()
  })
})
