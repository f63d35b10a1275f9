import { describe, expect, it } from 'vitest'
import { containerDiff, runByDiff, type Side } from '../../../agent/core/docker/container-diff.ts'
import { containerSpec } from '../../../agent/core/docker/container-spec.ts'
import type { ContainerConfig, CreateBody } from '../../../agent/core/docker/json.ts'
import { container, image } from '../observed.ts'

function side(
  config: Partial<ContainerConfig>,
  imageConfig: Side['imageConfig'] = null,
  host: object = {},
): Side {
  const body: CreateBody = {
    Image: 'calico/node:v2.6.5',
    ...config,
    HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'always' }, ...host },
  }
  return { spec: { body, furtherNetworks: [] }, imageConfig }
}

const lines = (shown: Side, other = shown) => containerDiff('calico-node', shown, other).before.split('\n')

describe('containerDiff', () => {
  it('names the container, and shows a line a field in order, without the empty ones', () => {
    expect(
      containerDiff('calico-node', side({ Env: ['B=2', 'A=1'], User: '', Labels: {}, Tty: false }), side({})),
    ).toEqual({
      target: 'container calico-node',
      before: [
        ...['Env.A: 1', 'Env.B: 2', 'HostConfig.NetworkMode: host', 'HostConfig.RestartPolicy.Name: always'],
        'Image: calico/node:v2.6.5',
      ].join('\n'),
      after: [
        ...[
          'HostConfig.NetworkMode: host',
          'HostConfig.RestartPolicy.Name: always',
          'Image: calico/node:v2.6.5',
        ],
      ].join('\n'),
    })
  })

  it.each<[string, Partial<ContainerConfig>, Partial<ContainerConfig>, string[], string[]]>([
    ["the image's", {}, { Cmd: ['start_runit'], User: 'u' }, ['Cmd: ["start_runit"]', 'User: u'], []],
    ["the operator's over the image's", { User: 'me' }, { User: 'u' }, ['User: me'], ['User: u']],
    [
      "an Entrypoint of the operator, which drops the image's Cmd",
      { Entrypoint: ['/mine'] },
      { Entrypoint: ['/its'], Cmd: ['x'] },
      ['Entrypoint: ["/mine"]'],
      ['Cmd: ["x"]'],
    ],
    [
      'both labels',
      { Labels: { mine: '1' } },
      { Labels: { its: '2' } },
      ['Labels.its: 2', 'Labels.mine: 1'],
      [],
    ],
    [
      "the operator's Env over the image's",
      { Env: ['A=mine'] },
      { Env: ['A=its', 'B=its'] },
      ['Env.A: mine', 'Env.B: its'],
      ['Env.A: its'],
    ],
  ])('shows %s', (_, own, inherited, shown, hidden) => {
    const seen = lines(side(own, inherited))
    expect(seen).toEqual(expect.arrayContaining(shown))
    for (const line of hidden) expect(seen).not.toContain(line)
    expect(seen).toContain('Image: calico/node:v2.6.5')
  })

  it('leaves the defaults out when one image is not here, so that none looks like a change', () => {
    expect(lines(side({}, { User: 'u' }), side({}, null)).join('\n')).not.toContain('User')
  })

  it('shows what changes between two images', () => {
    const { before, after } = containerDiff('x', side({}, { User: 'a' }), side({}, { User: 'b' }))
    expect([before.includes('User: a'), after.includes('User: b')]).toEqual([true, true])
  })

  it('shows what a container takes from its images, in how it is run', () => {
    const [before, after] = [
      { User: '', WorkingDir: '/', StopSignal: '' },
      { User: '999', WorkingDir: '/code', StopSignal: 'SIGINT', Healthcheck: { Test: ['CMD', '/up'] } },
    ]
    const running = container({ Config: before })
    const spec = containerSpec(running, { ...image('1'), Config: before }, 'host-1')
    const sides: [Side, Side] = [
      { spec, imageConfig: before },
      { spec, imageConfig: after },
    ]
    const lines = ['Healthcheck.Test: ["CMD","/up"]', 'StopSignal: SIGINT', 'User: 999', 'WorkingDir: /code']
    const [diff] = runByDiff('x', ...sides)
    expect(diff).toEqual({ target: 'container x', before: 'WorkingDir: /', after: lines.join('\n') })
    expect(containerDiff('x', ...sides).after).toContain('User: 999')
    expect(runByDiff('x', sides[0], sides[0])).toEqual([])
  })

  it.each<[string, Side]>([
    ['in the environment', side({ Env: ['ETCD_PASSWORD=hunter2'] })],
    ["in the image's environment", side({}, { Env: ['ETCD_PASSWORD=hunter2'] })],
    ['in a URL of the environment', side({ Env: ['ETCD_ENDPOINTS=https://root:hunter2@etcd:2379'] })],
    ['in a label', side({ Labels: { 'example.token': 'hunter2' } })],
    [
      "in a log driver's options",
      side({}, null, { LogConfig: { Type: 'splunk', Config: { 'splunk-token': 'hunter2' } } }),
    ],
    ['in a URL on the command line', side({ Cmd: ['run', 'https://root:hunter2@etcd:2379'] })],
    ['in an option on the command line', side({ Entrypoint: ['/run', '--etcd-password=hunter2'] })],
    [
      'in the option after it on the command line',
      side({ Entrypoint: ['/run', '--etcd-password', 'hunter2'] }),
    ],
    ['in a health check', side({ Healthcheck: { Test: ['CMD-SHELL', 'curl http://u:hunter2@host/'] } })],
  ])('hides a secret %s', (_, secret) => {
    expect(lines(secret).join('\n')).not.toContain('hunter2')
  })
})
