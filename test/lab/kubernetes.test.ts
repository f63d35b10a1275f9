// The lab's Kubernetes: a real control plane, real kubelets, and Calico as a DaemonSet on them.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathExists } from 'fs-extra/esm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { execOk } from './exec.ts'
import { attachLab, birdSessions, type Host, type Kubernetes, type Mesh, sessionName } from './index.ts'

type Node = { spec: { unschedulable?: boolean }; status: { nodeInfo: Record<string, string> } }
type Pods = { items: { metadata: { name: string; uid: string } }[] }

const sysctls = ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops', 'kernel/keys/root_maxkeys']
const ofMachine = (): string[] => sysctls.map((name) => readFileSync(`/proc/sys/${name}`, 'utf8'))

let mesh: Mesh
let host: Host
let peer: Host
let kubernetes: Kubernetes
const before = ofMachine()

beforeAll(async () => {
  const lab = await attachLab()
  mesh = lab.workerMesh()
  const [first, second] = mesh.hosts
  if (!first || !second) throw new Error('cannot test: a mesh of two hosts is needed')
  host = first
  peer = second
  kubernetes = lab.kubernetes()
  await kubernetes.start()
  await kubernetes.resetHosted(mesh)
})

afterAll(() => kubernetes.kill())

const node = (on: Host): Promise<Node> => kubernetes.get<Node>(['node', on.name])
const calicoPods = async (on: Host): Promise<Pods['items']> => {
  const selected = ['-l', 'k8s-app=calico-node', '--field-selector', `spec.nodeName=${on.name}`]
  return (await kubernetes.get<Pods>(['pods', '-n', 'kube-system', ...selected])).items
}

test('each of its programs names its release', async () => {
  expect(await kubernetes.kubectl(['version'])).toMatch(
    /Client.*GitVersion:"v1\.23\.17".*\nServer.*GitVersion:"v1\.23\.17"/,
  )
})

describe('a hosted Calico', () => {
  test('runs on every node, with its sessions and its routes', async () => {
    for (const [one, other] of [
      [host, peer],
      [peer, host],
    ] as const) {
      const { status } = await node(one)
      expect(status.nodeInfo).toMatchObject({ kubeletVersion: 'v1.23.17' })
      expect(status.nodeInfo['containerRuntimeVersion']).toMatch(/^docker:/)
      expect(await calicoPods(one)).toHaveLength(1)
      expect(await birdSessions(one.birdSocketPath())).toMatchObject([
        { name: sessionName(other.address), state: 'Established' },
      ])
      expect(await one.exists('/opt/cni/bin/calico')).toBe(true)
    }
    const traffic = await mesh.traffic(host, peer)
    await sleep(2_000)
    const { sent, lost } = await traffic.stop()
    expect(sent).toBeGreaterThan(100)
    expect(lost).toBe(0)
  })

  test('is replaced node by node when its template changes', async () => {
    const old = await Promise.all(mesh.hosts.map(calicoPods))
    await kubernetes.applyCalico({ hosts: mesh.hosts, release: 'v3.20.0' })
    await kubernetes.untilRolledOut()
    const renewed = await Promise.all(mesh.hosts.map(calicoPods))
    expect(renewed.map((pods) => pods.length)).toEqual([1, 1])
    for (const [index, [pod]] of renewed.entries())
      expect(pod?.metadata.uid).not.toBe(old[index]?.[0]?.metadata.uid)
    await mesh.untilSettled()
  })

  test('runs on while the API server is away', async () => {
    const [pod] = await calicoPods(host)
    await kubernetes.killPart('kube-apiserver')
    await expect(kubernetes.get(['nodes'])).rejects.toThrow(/refused|connect/)
    await mesh.untilSettled()
    await kubernetes.startPart('kube-apiserver')
    await kubernetes.untilReady(host)
    expect((await calicoPods(host))[0]?.metadata.uid).toBe(pod?.metadata.uid)
  })
})

describe("a node's own credential", () => {
  const patch = (target: Host, unschedulable: boolean | null) =>
    kubernetes.nodeKubectl(host, [
      'patch',
      'node',
      target.name,
      '-p',
      JSON.stringify({ spec: { unschedulable } }),
    ])

  test('cordons and uncordons its own Node', async () => {
    expect(await patch(host, true)).toMatchObject({ code: 0 })
    expect((await node(host)).spec.unschedulable).toBe(true)
    expect(await patch(host, null)).toMatchObject({ code: 0 })
    expect((await node(host)).spec.unschedulable).toBeUndefined()
  })

  test('cannot touch another Node, a taint or the DaemonSet', async () => {
    const { code, stderr } = await patch(peer, true)
    expect(code).toBe(1)
    expect(stderr).toMatch(/Forbidden.*not allowed to modify/)
    expect((await node(peer)).spec.unschedulable).toBeUndefined()
    const taint = await kubernetes.nodeKubectl(host, ['taint', 'node', host.name, 'lab=yes:NoSchedule'])
    expect(taint.stderr).toContain('Forbidden')
    const set = [
      'patch',
      'daemonset',
      '-n',
      'kube-system',
      'calico-node',
      '-p',
      '{"metadata":{"labels":{"a":"b"}}}',
    ]
    expect((await kubernetes.nodeKubectl(host, set)).stderr).toContain('Forbidden')
  })
})

test('a reset leaves nothing of it on a host', async () => {
  await mesh.reset()
  expect((await host.run(['systemctl', 'is-active', 'kubelet'])).stdout).not.toBe('active\n')
  expect(await host.readFile('/proc/mounts')).not.toContain('/var/lib/kubelet')
  const names = (await host.docker.listContainers({ all: true })).flatMap(({ Names }) => Names)
  expect(names).toEqual(['/calico-node'])
  expect(ofMachine()).toEqual(before)
})

test('lab down leaves nothing of it on the machine', async () => {
  const dir = '/var/lib/calico-lab-of-kubernetes-test'
  const env = { ...process.env, LAB_DIR: dir, LAB_PAIR: '1' } as Record<string, string>
  const cli = (...args: string[]): Promise<string> =>
    execOk([process.execPath, join(import.meta.dirname, 'cli.ts'), ...args], { env })
  try {
    expect(await cli('up', '--hosts', '1', '--kubernetes')).toMatch(/host1 +Ready/)
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toContain(dir)
  } finally {
    await cli('down')
  }
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(dir)
  expect(await pathExists(dir)).toBe(false)
  await expect(execOk(['pgrep', '--full', dir])).rejects.toThrow('exit 1')
})
