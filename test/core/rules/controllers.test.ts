import { describe, expect, it } from 'vitest'
import type { ObservedControllers, ObservedImage, ObservedUnit, Owner } from '../../../agent/core/model.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { container, digest, image, observed, unit as unitSeen, wanted } from '../observed.ts'
import { unitOf } from '../unit/units.ts'

const NAME = 'calico-kube-controllers'

interface Host {
  from?: string
  to?: string
  env?: string[]
  mounts?: string[]
  running?: boolean
  owner?: Owner
  unit?: ObservedUnit | null
  policy?: string
  byRelease?: boolean
  allow?: string[]
}

function problemsOf({
  from = 'calico/kube-controllers:v1.0.2',
  to = 'calico/kube-controllers:v1.0.5',
  env = [],
  mounts = [],
  running = true,
  unit = null,
  policy = 'always',
  owner = unit ? { kind: 'systemd', unit: unit.source.name, why: 'it runs docker' } : { kind: 'docker' },
  byRelease = false,
  allow = [],
}: Host) {
  const json = container({
    Config: { Image: from, Env: env },
    Running: running,
    HostConfig: { RestartPolicy: { Name: policy } },
  })
  const Mounts = mounts.map((Destination) => ({ Type: 'bind', Source: '/', Destination, RW: false }))
  const controllers: ObservedControllers = {
    container: { ...json, Name: `/${NAME}`, Mounts },
    image: image('1', `calico/kube-controllers@${digest('a')}`),
    owner,
    unit,
  }
  const asked: ObservedImage = { ref: to, local: null, remote: { digest: digest('b'), platforms: [] } }
  return preflight(observed({ node: null, image: null, controllers, controllersImage: asked }), {
    ...wanted,
    node: { ...wanted.node, image: null },
    controllers: { ...wanted.controllers, image: to, onlyIfInstalled: byRelease },
    allow,
  })
}

const theirUnit = (state: Partial<ObservedUnit['state']> = {}, program = '/usr/bin/docker') => {
  const run = `${program} run --name=${NAME} calico/kube-controllers:v1.0.2`
  return unitSeen(state, unitOf(`[Service]\nExecStart=${run}\n`, { name: 'controllers.service' }))
}

describe('the controllers’ rules', () => {
  it('let controllers through that a unit runs', () => {
    expect(problemsOf({ unit: theirUnit(), policy: 'no' })).toEqual([])
    expect(problemsOf({ unit: theirUnit(), policy: 'no', byRelease: true })).toEqual([])
  })

  it('tell of a second keeper, and of a unit that systemd has not read', () => {
    const unit = theirUnit({ needsReload: true })
    expect(problemsOf({ unit })).toMatchObject([{ code: 'unit-changed-on-disk' }, { code: 'two-keepers' }])
  })

  it('say how those that stand by are started', () => {
    const [problem] = problemsOf({ unit: theirUnit(), policy: 'no', running: false })
    expect(problem?.fix).toContain('systemctl start controllers.service')
  })

  it('let controllers through that Docker keeps', () => {
    expect(problemsOf({})).toEqual([])
  })

  it('say where there are none, unless only a release asks for them', () => {
    const nothing = observed({ node: null, image: null })
    const node = { ...wanted.node, image: null }
    const controllers = { ...wanted.controllers, image: 'calico/kube-controllers:v1.0.5' }
    expect(preflight(nothing, { ...wanted, node, controllers })).toMatchObject([{ code: 'no-controllers' }])
    const byRelease = { ...controllers, onlyIfInstalled: true }
    expect(preflight(nothing, { ...wanted, node, controllers: byRelease })).toEqual([])
  })

  it.each<[string, Host, string]>([
    ['a masked unit', { unit: theirUnit({ load: 'masked' }), policy: 'no' }, 'systemd-owned'],
    ['a transient unit', { unit: theirUnit({ transient: true }), policy: 'no' }, 'systemd-owned'],
    ['podman', { unit: theirUnit({}, '/usr/bin/podman'), policy: 'no' }, 'systemd-owned'],
    ['the kubelet', { owner: { kind: 'kubelet', why: 'it carries a label' } }, 'controllers-owner'],
    ['a standby', { running: false }, 'controllers-not-running'],
  ])('leave %s alone: an error, or a warning where only a release asks', (_, host, code) => {
    expect(problemsOf(host)).toMatchObject([{ code, severity: 'error' }])
    expect(problemsOf({ ...host, byRelease: true })).toMatchObject([{ code, severity: 'warning' }])
  })

  it('do not take another container for them, unless that is allowed', () => {
    const host = { from: 'site/thing:1' }
    expect(problemsOf(host)).toMatchObject([{ code: 'not-controllers', severity: 'error' }])
    expect(problemsOf({ ...host, allow: ['not-controllers'] })).toMatchObject([{ severity: 'warning' }])
  })
})

describe('the way from kube-policy-controller', () => {
  const way = { from: 'calico/kube-policy-controller:v0.7.0', to: 'calico/kube-controllers:v1.0.5' }

  it.each<[string, Pick<Host, 'env' | 'mounts'>]>([
    ['a kubeconfig', { env: ['KUBECONFIG=/etc/kubeconfig', 'ETCD_ENDPOINTS=http://10.0.0.1:2379'] }],
    [
      'what Kubernetes gives to a pod',
      {
        env: ['KUBERNETES_SERVICE_HOST=10.0.0.1', 'KUBERNETES_SERVICE_PORT=443'],
        mounts: ['/var/run/secrets/kubernetes.io/serviceaccount'],
      },
    ],
  ])('is open with %s', (_, settings) => {
    expect(problemsOf({ ...way, ...settings })).toEqual([])
  })

  it.each<[string[], string[]]>([
    [[], ['-e KUBECONFIG=FILE']],
    [['K8S_API=https://10.0.0.1:6443'], ['-e KUBECONFIG=FILE', 'whose server is https://10.0.0.1:6443']],
    [['KUBERNETES_SERVICE_HOST=10.0.0.1', 'KUBERNETES_SERVICE_PORT=443'], ['-e KUBECONFIG=FILE']],
    [
      ['ETCD_AUTHORITY=10.0.0.1:2379', 'ETCD_SCHEME=https'],
      ['-e KUBECONFIG=FILE', '-e ETCD_ENDPOINTS=https://10.0.0.1:2379'],
    ],
  ])('is refused with %j, and the list of what to set', (env, fixes) => {
    const [problem, ...more] = problemsOf({ ...way, env })
    expect(more).toEqual([])
    expect(problem).toMatchObject({ code: 'controllers-env', severity: 'error' })
    for (const fix of fixes) expect(problem?.fix).toContain(fix)
  })

  it('is refused where a unit lacks the settings, with what to change there', () => {
    const [problem] = problemsOf({ ...way, unit: theirUnit(), policy: 'no' })
    expect(problem).toMatchObject({ code: 'controllers-env', severity: 'error' })
    expect(problem?.fix).toMatch(/^add -e KUBECONFIG=FILE/)
  })

  it('warns of an election that there is no more', () => {
    const env = ['KUBECONFIG=/etc/kubeconfig', 'LEADER_ELECTION=true']
    expect(problemsOf({ ...way, env })).toMatchObject([{ code: 'controllers-env', severity: 'warning' }])
  })

  it('is known by the version where the name does not tell', () => {
    const site = { from: 'site/kube-controllers:v0.7.0', to: 'site/kube-controllers:v1.0.0' }
    expect(problemsOf(site)).toMatchObject([{ code: 'controllers-env' }])
    expect(problemsOf({ ...site, from: site.to, to: 'site/kube-controllers:v1.0.5' })).toEqual([])
  })
})

describe('the user of the new image', () => {
  const kubeconfig = {
    setting: 'KUBECONFIG',
    path: '/etc/kubeconfig',
    hostPath: '/root/kubeconfig',
    chain: [{ uid: 0, gid: 0, mode: 0o600 }],
  }

  function told({ own = '', user = '999', here = true, allow = [] as string[] } = {}) {
    const ref = 'calico/kube-controllers:v3.17.6'
    const controllers: ObservedControllers = {
      container: {
        ...container({ Config: { Image: 'calico/kube-controllers:v3.15.5', User: own } }),
        Name: `/${NAME}`,
      },
      image: image('1', `calico/kube-controllers@${digest('a')}`),
      owner: { kind: 'docker' },
      unit: null,
      given: [kubeconfig],
    }
    const local = { ...image('2', `calico/kube-controllers@${digest('b')}`), Config: { User: user } }
    const asked: ObservedImage = {
      ...{ ref, local: here ? local : null },
      remote: { digest: digest('b'), platforms: [] },
    }
    return preflight(observed({ node: null, image: null, controllers, controllersImage: asked }), {
      ...wanted,
      node: { ...wanted.node, image: null },
      controllers: { ...wanted.controllers, image: ref },
      allow,
    })
  }

  it('is told where it is another one, and refused where it cannot read what is mounted', () => {
    expect(told()).toMatchObject([
      { code: 'controllers-user-changes', severity: 'warning' },
      {
        code: 'controllers-unreadable',
        severity: 'error',
        message: `cannot upgrade ${NAME}: the new image runs as user 999, which cannot read KUBECONFIG=/etc/kubeconfig (/root/kubeconfig: 0600, owned by 0:0)`,
      },
    ])
    expect(told({ allow: ['controllers-unreadable'] }).map(({ severity }) => severity)).toEqual([
      'warning',
      'warning',
    ])
  })

  it('is nothing to tell where it is not known yet, is the same, or is the operator’s', () => {
    expect(told({ here: false })).toEqual([])
    expect(told({ user: 'root' })).toEqual([])
    expect(told({ own: '0:0' })).toEqual([])
  })
})
