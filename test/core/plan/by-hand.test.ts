import { describe, expect, it } from 'vitest'
import type { ContainerSpec } from '../../../agent/core/docker/container-spec.ts'
import { dockerRunLine } from '../../../agent/core/docker/run.ts'
import { settleByHand } from '../../../agent/core/plan/by-hand/by-hand.ts'
import type { OldContainer, Plan } from '../../../agent/core/plan/plan.ts'

const spec: ContainerSpec = {
  body: {
    Image: 'quay.io/calico/node:v2.6.5',
    Env: ['IP=192.0.2.1', 'ETCD_PASSWORD=hunter2', 'NOTE=two words'],
    Labels: { team: 'net' },
    Cmd: ['/sbin/start_runit'],
    HostConfig: {
      NetworkMode: 'host',
      Privileged: true,
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
      Binds: ['/var/run/calico:/var/run/calico'],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m' } },
      ShmSize: 67108864,
      OomScoreAdj: -500,
    },
  },
  furtherNetworks: [],
}

describe('dockerRunLine', () => {
  const line = dockerRunLine('calico-node', spec)

  it('is what an operator would type', () => {
    expect(line).toBe(
      "docker run -d --name=calico-node --net=host --restart=on-failure:3 --privileged -v /var/run/calico:/var/run/calico --log-driver=json-file --log-opt=max-size=10m -e IP=192.0.2.1 -e 'ETCD_PASSWORD=<redacted>' -e 'NOTE=two words' --label team=net quay.io/calico/node:v2.6.5 /sbin/start_runit  # and: OomScoreAdj",
    )
  })

  it('hides secrets', () => {
    expect(line).not.toContain('hunter2')
  })
})

describe('settleByHand', () => {
  const old: OldContainer = {
    id: '0123456789abcdef',
    name: 'calico-node',
    policy: { Name: 'always', MaximumRetryCount: 0 },
    wasRunning: true,
    autoRemove: false,
    spec,
    image: 'quay.io/calico/node:v2.6.5',
    imageId: 'sha256:1',
  }
  const next = { createdBy: 'R1' }
  const gate = { budgetMs: 90_000, reserveMs: 20_000, settleMs: 10_000, daemons: [], health: [] }
  const plan: Plan = {
    run: 'R1',
    command: 'upgrade',
    components: { node: { from: 'a', to: 'b' } },
    steps: [
      { kind: 'swap-container', component: 'node', args: { old, next, gate } },
      {
        kind: 'commit',
        component: 'node',
        args: { containers: [{ old, next, parkName: 'calico-node-parked-R1' }] },
      },
    ],
  }

  it('puts the CNI plugins back, with or without a container', () => {
    const args = { run: 'R1', binDir: '/opt/cni/bin', names: ['calico'], image: null }
    const swap = { kind: 'swap-binaries', component: 'cni', args } as const
    for (const steps of [[swap], [...plan.steps, swap]]) {
      const text = settleByHand({ ...plan, steps }, 'R1.jsonl') ?? ''
      expect(text).toContain('  mv -fT /opt/cni/bin/.calico-agent-R1-calico.old /opt/cni/bin/calico')
      expect(text.includes('docker run')).toBe(steps.length > 1)
      expect(text.match(/the journal R1.jsonl/g)).toHaveLength(1)
    }
  })

  it('names what stands where, the way back, the docker run, and the journal', () => {
    const text = settleByHand(plan, '/var/lib/calico-agent/runs/R1.jsonl') ?? ''
    for (const part of [
      'docker update --restart=always 0123456789ab; docker rename 0123456789ab calico-node; docker start 0123456789ab',
      'docker run -d --name=calico-node',
      '/var/lib/calico-agent/runs/R1.jsonl',
    ]) {
      expect(text).toContain(part)
    }
  })

  it('has the file and the drop-in of a unit', () => {
    const trial = { path: '/run/systemd/system/u.service.d/t.conf', forward: '', back: '' }
    const edit = { path: '/etc/systemd/system/u.service', before: 'a', after: 'b' }
    const change = {
      unit: 'u.service',
      container: 'calico-node',
      from: 'a',
      to: 'b',
      trial,
      edit,
      editBack: null,
    }
    const swap = { kind: 'swap-unit', component: 'node', args: { change, old, gate } } as const
    const text = settleByHand({ ...plan, steps: [swap] }, '/var/lib/calico-agent/runs/R1.jsonl') ?? ''
    for (const part of [
      `set the image in ${edit.path} to a`,
      `docker rm -f calico-node; rm -f ${trial.path}; systemctl daemon-reload`,
      'systemctl reset-failed u.service; systemctl restart u.service',
      'ip $f rule del pref 32724',
    ]) {
      expect(text).toContain(part)
    }
  })

  it('has a unit run one of the controllers, and never two', () => {
    const trial = { path: '/run/systemd/system/c.service.d/t.conf', forward: '', back: '' }
    const edit = { path: '/etc/systemd/system/c.service', before: 'a', after: 'b' }
    const names = { unit: 'c.service', container: 'controllers', from: 'a', to: 'b' }
    const change = { ...names, trial, edit, editBack: null }
    const args = { change, old, check: null, settleMs: 0 }
    const swap = { kind: 'swap-controllers-unit', component: 'controllers', args } as const
    const kept = { kind: 'edit-unit', component: 'controllers', args: { change } } as const
    const lines = settleByHand({ ...plan, steps: [swap, kept] }, '/journal')?.split('\n')
    expect(lines?.slice(1, 5)).toEqual([
      'to put the old controllers back, or to keep the new ones, but never run two at once:',
      `  systemctl stop c.service; docker rm -f controllers; rm -f ${trial.path}`,
      `  set the image in ${edit.path} to a, or to b to keep the new ones`,
      '  systemctl daemon-reload; systemctl reset-failed c.service; systemctl start c.service',
    ])
    expect(lines?.join()).not.toContain('birdcl')
  })

  it('has the way back of the CNI config', () => {
    const [path, wayBack] = [
      '/etc/cni/net.d/10-calico.conf',
      '/etc/cni/net.d/.10-calico.conf.calico-agent-R1.old',
    ]
    const args = { path, before: '{}', after: '{"mtu":1}', wayBack, reader: 'kubelet.service' }
    const write = { kind: 'write-cni-config', component: 'cniConfig', args } as const
    const text = settleByHand({ ...plan, steps: [write] }, '/var/lib/calico-agent/runs/R1.jsonl') ?? ''
    for (const part of [`mv ${wayBack} ${path}`, 'systemctl restart kubelet.service', '/runs/R1.jsonl']) {
      expect(text).toContain(part)
    }
    expect(text).not.toContain('docker')
  })

  it('has nothing to say of a run that touched nothing', () => {
    expect(settleByHand({ ...plan, steps: [] }, 'journal')).toBeNull()
  })

  it('never has two controllers run at once', () => {
    const names = { id: 'fedcba9876543210', name: 'calico-kube-controllers' }
    const theirs = { old: { ...old, ...names }, next: { createdBy: 'R1-controllers' } }
    const lines = settleByHand(
      {
        ...plan,
        steps: [
          {
            kind: 'swap-controllers',
            component: 'controllers',
            args: { ...theirs, check: null, settleMs: 0 },
          },
          {
            kind: 'commit',
            component: 'controllers',
            args: { containers: [{ ...theirs, parkName: 'calico-kube-controllers-parked-R1' }] },
          },
        ],
      },
      '/journal',
    )?.split('\n')
    expect(lines?.slice(2, 7)).toEqual([
      'to put the old controllers back, but never run two at once:',
      '  docker update --restart=no NEW; docker stop NEW; docker rm NEW',
      '  docker update --restart=always fedcba987654; docker rename fedcba987654 calico-kube-controllers; docker start fedcba987654',
      'to keep the new ones:',
      '  docker update --restart=no fedcba987654; docker stop fedcba987654; docker rename fedcba987654 calico-kube-controllers-parked-R1',
    ])
  })
})
