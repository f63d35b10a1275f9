// A host whose containers are processes of this machine: only their cgroups and the kubelet's links are made up.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PullApi } from '../../../agent/adapters/pods/pull.ts'
import type { NodeObject } from '../../../agent/core/kubernetes/node.ts'
import type { PodObject } from '../../../agent/core/kubernetes/pod.ts'
import type { Kubernetes } from '../../../agent/ports/kubernetes.ts'
import { CRI_DIGEST, FakePodApi } from './fake-pod-api.ts'

export const UID = '2f1c9a1e-7b0d-4c55-8d6e-0a1b2c3d4e5f'
export const IMAGE = 'quay.io/calico/node:v3.17.6'
export const FILE = { path: '/etc/calico/bird.cfg', text: 'router id 192.0.2.1;\n' }

interface StartOptions {
  namespace?: string
  env?: Record<string, string>
  /** Processes beside the first one. */
  further?: number
}

type Api = PullApi & Pick<Kubernetes, 'thisNode' | 'get'>

export class PodHost {
  readonly root = mkdtempSync(join(tmpdir(), 'pod-host-'))
  readonly proc = join(this.root, 'proc')
  readonly api = new FakePodApi()
  readonly #children: ChildProcess[] = []
  #count = 0

  constructor() {
    mkdirSync(join(this.proc, '1/ns'), { recursive: true })
    this.#file('proc/1/comm', 'systemd\n')
    this.#file('proc/self/comm', 'agent\n')
    symlinkSync('net:[4026531840]', join(this.proc, '1/ns/net'))
    this.#file(`containers/etc/calico/real.cfg`, FILE.text)
    // as an image may have it: absolute inside of the container
    symlinkSync('/etc/calico/real.cfg', join(this.root, 'containers/etc/calico/bird.cfg'))
    symlinkSync('../../../../../../../../etc/passwd', join(this.root, 'containers/etc/calico/outside'))
    mkdirSync(join(this.root, 'var/log/containers'), { recursive: true })
  }

  get kubernetes(): Api {
    return this.api
  }

  /** A container of a pod that has `name`; `env` as its first process has it. */
  async start(
    name = 'calico-node',
    { namespace = 'kube-system', env = {}, further = 0 }: StartOptions = {},
  ): Promise<string> {
    this.#count += 1
    const id = String(this.#count).padStart(2, '0').repeat(32)
    const pod = `${name}-${this.#count}`
    for (let i = 0; i <= further; i++) this.#process(id, await this.#spawn(env))
    const log = `/var/log/pods/${namespace}_${pod}_${UID}/${name}/0.log`
    this.#file(log, '2026-11-27T20:00:00.1Z stdout F Calico node started successfully\n')
    symlinkSync(log, join(this.root, `var/log/containers/${pod}_${namespace}_${name}-${id}.log`))
    this.api.pods.push(podOf({ name, pod, namespace, id }))
    return id
  }

  /** As a crash ends it. */
  async end(id: string): Promise<void> {
    const child = this.#children[Number(id.slice(0, 2)) - 1]
    child?.kill('SIGKILL')
    if (child) await once(child, 'exit')
  }

  async dispose(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    rmSync(this.root, { recursive: true })
  }

  /** The agent's pod lacks `hostPID`. */
  shareNothing(): void {
    this.#file('proc/1/comm', 'agent\n')
  }

  async #spawn(env: Record<string, string>): Promise<number> {
    const child = spawn('/bin/sleep', ['600'], { env, stdio: 'ignore' })
    this.#children.push(child)
    await once(child, 'spawn')
    return child.pid ?? 0
  }

  #process(id: string, pid: number): void {
    this.#file(`proc/${pid}/cgroup`, `0::/kubepods/burstable/pod${UID}/${id}\n`)
    mkdirSync(join(this.proc, `${pid}/ns`))
    symlinkSync('net:[4026531840]', join(this.proc, `${pid}/ns/net`))
    symlinkSync(join(this.root, 'containers'), join(this.proc, `${pid}/root`))
    for (const name of ['stat', 'cmdline', 'environ', 'mountinfo'])
      symlinkSync(`/proc/${pid}/${name}`, join(this.proc, `${pid}/${name}`))
  }

  #file(path: string, text: string): void {
    const place = join(this.root, path)
    mkdirSync(join(place, '..'), { recursive: true })
    writeFileSync(place, text)
  }
}

function podOf(of: { name: string; pod: string; namespace: string; id: string }): PodObject {
  const { name, pod, namespace, id } = of
  return {
    metadata: { name: pod, namespace, uid: UID, resourceVersion: '1' },
    spec: {
      hostNetwork: true,
      nodeName: 'host-1',
      volumes: [
        { name: 'run', hostPath: { path: '/var/run/calico' } },
        { name: 'config', configMap: { name: 'x' } },
      ],
      containers: [
        {
          name,
          image: IMAGE,
          volumeMounts: [
            { name: 'run', mountPath: '/var/run/calico' },
            { name: 'config', mountPath: '/config', readOnly: true },
          ],
        },
      ],
    },
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          name,
          containerID: `containerd://${id}`,
          imageID: `quay.io/calico/node@${CRI_DIGEST}`,
          state: { running: {} },
        },
      ],
    },
  }
}

export const NODE: NodeObject = {
  metadata: { name: 'host-1', resourceVersion: '1' },
  status: {
    nodeInfo: {
      containerRuntimeVersion: 'containerd://1.6.20',
      architecture: 'amd64',
      operatingSystem: 'linux',
    },
    images: [
      { names: [`quay.io/calico/cni@sha256:${'c'.repeat(64)}`, 'quay.io/calico/cni:v3.17.6'], sizeBytes: 5 },
      { names: null },
    ],
  },
}
