import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { containerSpec, RUN_LABEL, trialSpec } from '../../../agent/core/docker/container-spec.ts'
import type { ContainerConfig } from '../../../agent/core/docker/json.ts'
import { bare, captured, imageOf, node, rich, specOf } from '../fixtures/docker/captured.ts'

describe('containerSpec, held to Docker Engine 20.10', () => {
  it.each([
    'calicoctl-node-run',
    'host-network',
    'host-uts',
    'inherits',
    'sets-everything',
    'two-networks-beside-the-default',
    'slash-after-a-mount-point',
    'own-command',
    'no-entrypoint',
    'no-healthcheck',
    'own-health-interval',
    'auto-remove',
    'in-another-network-namespace',
    'volumes-from',
    'linked',
  ])('makes the same container again: %s', (name) => {
    const container = captured(name)
    const spec = specOf(container)
    expect(spec).toEqual(container.spec)
    if (typeof container.again === 'string') throw new Error(container.again)
    expect(containerSpec(container.again, imageOf(container), container.host)).toEqual(spec)
  })

  it.each<[string, Partial<ContainerConfig>]>([
    // another image's own defaults apply to what was inherited ...
    [
      'inherits',
      {
        Env: ['PATH=/bin', 'CALICO_IN_IMAGE=new', 'CALICO_ONLY_NEW=1'],
        Labels: { maintainer: 'new@example.org', 'only-new': '1' },
        Entrypoint: ['/bin/busybox'],
        Cmd: ['sleep', '2000'],
        User: '10:10',
        WorkingDir: '/new',
        StopSignal: 'SIGQUIT',
        Healthcheck: { Test: ['CMD', '/bin/busybox', 'true'], Interval: 7e9 },
        ExposedPorts: { '179/tcp': {}, '9091/tcp': {} },
        Volumes: { '/data': {}, '/new': {} },
      },
    ],
    // ... and the operator's own stays
    [
      'sets-everything',
      {
        Hostname: 'calico',
        Domainname: 'example.org',
        Env: ['CALICO_IN_IMAGE=mine', 'ETCD_PASSWORD=hunter2', 'PATH=/bin', 'CALICO_ONLY_NEW=1'],
        Labels: { maintainer: 'me', role: 'node', 'only-new': '1' },
        Cmd: ['sleep', '3000'],
        User: '7:8',
        WorkingDir: '/tmp',
        StopSignal: 'SIGKILL',
        StopTimeout: 3,
        Healthcheck: { Test: ['CMD-SHELL', '/bin/busybox true'], Interval: 9e9 },
        ExposedPorts: { '179/tcp': {}, '9091/tcp': {}, '4789/udp': {} },
      },
    ],
    ['own-command', { Entrypoint: ['/bin/busybox'], Cmd: ['sleep', '3000'] }],
    ['no-entrypoint', { Entrypoint: null, Cmd: ['/bin/busybox', 'sleep', '3000'] }],
    ['no-healthcheck', { Healthcheck: { Test: ['NONE'], Interval: 5e9 } }],
  ])('puts %s on another image', (name, expected) => {
    expect(captured(name).next).toMatchObject(expected)
  })
})

describe('the body', () => {
  it('of calicoctl node run has what its command line said', () => {
    const { body, furtherNetworks } = specOf(node)
    expect(body).toMatchObject({
      Image: 'calico/node:old',
      Env: expect.arrayContaining(['NODENAME=host-1', 'CALICO_NETWORKING_BACKEND=bird', 'AS=']) as unknown,
      Labels: {},
      HostConfig: { NetworkMode: 'host', Privileged: true, RestartPolicy: { Name: 'always' } },
    })
    expect(body.HostConfig.Binds).toHaveLength(7)
    expect(body.Env).not.toContain('CALICO_IN_IMAGE=old')
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['Cmd', 'Entrypoint', 'Hostname']))
    expect(body.NetworkingConfig).toBeUndefined()
    expect(furtherNetworks).toEqual([])
  })

  it('keeps every field of a container whose image was pruned', () => {
    const { body } = containerSpec(bare.container, null, bare.host)
    const { Env, Labels, Cmd, Entrypoint, Healthcheck, User, StopSignal, ExposedPorts } =
      bare.container.Config
    expect(body).toMatchObject({ Env, Labels, Cmd, Entrypoint, Healthcheck, User, StopSignal, ExposedPorts })
  })

  it.each<[string, Partial<ContainerConfig>, Partial<ContainerConfig>]>([
    [
      'an Entrypoint of the operator, with the Cmd of the image',
      { Entrypoint: ['/mine'] },
      { Entrypoint: ['/mine'], Cmd: ['sleep', '1000'] },
    ],
    [
      'an Entrypoint of the operator, without a Cmd',
      { Entrypoint: ['/mine'], Cmd: null },
      { Entrypoint: ['/mine'], Cmd: null },
    ],
    [
      'an Env of the operator that overrides the image',
      { Env: ['PATH=/bin', 'CALICO_IN_IMAGE=mine'] },
      { Env: ['CALICO_IN_IMAGE=mine'] },
    ],
    ['an Env that overrides with nothing', { Env: ['PATH='] }, { Env: ['PATH='] }],
    [
      'a label of the operator',
      { Labels: { maintainer: 'old@example.org', mine: '1' } },
      { Labels: { mine: '1' } },
    ],
    [
      'a port of the operator',
      { ExposedPorts: { '179/tcp': {}, '1/udp': {} } },
      { ExposedPorts: { '1/udp': {} } },
    ],
    ['a volume of the operator', { Volumes: { '/data': {}, '/mine': {} } }, { Volumes: { '/mine': {} } }],
  ])('keeps %s', (_, config, kept) => {
    expect(specOf(bare, { Config: config }).body).toMatchObject(kept)
  })

  it.each(['Env', 'Labels', 'ExposedPorts', 'Volumes'])(
    'is made where the Engine says %s is null',
    (field) => {
      expect(() => specOf(bare, { Config: { [field]: null } })).not.toThrow()
    },
  )

  it('keeps fields that nobody here knows, at every level', () => {
    const unknown = fc.dictionary(
      fc.stringMatching(/^New[A-Z][a-z]{2,8}$/),
      fc.jsonValue().filter((value) => value !== null),
      { maxKeys: 4 },
    )
    fc.assert(
      fc.property(unknown, unknown, unknown, unknown, (config, host, mount, endpoint) => {
        const { body, furtherNetworks } = specOf(rich, {
          Config: config,
          HostConfig: { ...host, Mounts: [{ Type: 'bind', Source: '/a', Target: '/b', ...mount }] },
          NetworkSettings: { Networks: { one: endpoint, two: endpoint } },
        })
        expect(body).toEqual(expect.objectContaining(config))
        expect(body.HostConfig).toEqual(expect.objectContaining(host))
        expect(body.HostConfig.Mounts?.[0]).toEqual(expect.objectContaining(mount))
        expect(body.NetworkingConfig?.EndpointsConfig['one']).toEqual(endpoint)
        expect(furtherNetworks).toEqual([{ network: 'two', endpoint }])
      }),
    )
  })

  it('changes nothing of what it is given', () => {
    const before = structuredClone(rich.container)
    trialSpec(specOf(rich), 'calico/node:new', 'run-1')
    expect(rich.container).toEqual(before)
  })
})

describe('trialSpec', () => {
  it('is the old container on another image, labelled, and never restarted by Docker', () => {
    const old = specOf(rich)
    const { HostConfig: host, Labels, ...rest } = old.body
    expect(trialSpec(old, 'calico/node:new', '20261122T141503Z-7f3a')).toEqual({
      furtherNetworks: old.furtherNetworks,
      body: {
        ...rest,
        Image: 'calico/node:new',
        Labels: { ...Labels, [RUN_LABEL]: '20261122T141503Z-7f3a' },
        HostConfig: { ...host, RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } },
      },
    })
  })

  it('carries the label of one run only', () => {
    const first = trialSpec(specOf(rich), 'calico/node:new', 'run-1')
    expect(trialSpec(first, 'calico/node:newer', 'run-2').body.Labels).toMatchObject({ [RUN_LABEL]: 'run-2' })
  })

  it('keeps --rm, which Docker takes together with no restart policy only', () => {
    const { HostConfig: host } = trialSpec(specOf(captured('auto-remove')), 'calico/node:new', 'run-1').body
    expect(host).toMatchObject({ AutoRemove: true, RestartPolicy: { Name: 'no' } })
  })
})
