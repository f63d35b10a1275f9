import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { parse, problemsOf } from './parsing.ts'

const image = 'quay.io/calico/node:v2.6.12'
const defaults = {
  cni: {
    binaries: ['calico', 'calico-ipam'],
    sha256: {},
    binDir: '/opt/cni/bin',
    configDir: '/etc/cni/net.d',
  },
  controllers: { container: 'calico-kube-controllers', manager: 'auto' },
  kubelet: { unit: 'kubelet.service', restart: 'auto' },
  registry: 'quay.io',
  releases: {},
  node: { container: 'calico-node', manager: 'auto' },
  bird: { sockets: ['/var/run/calico/bird.ctl', '/var/run/calico/bird6.ctl'] },
  window: 90,
  settle: 10,
  docker: { socket: '/var/run/docker.sock' },
  retention: { runs: 20, images: 1 },
  apply: 'manual',
  service: { socket: '/run/calico-agent/agent.sock' },
}

describe('a good config', () => {
  it('needs only an image', () => {
    expect(parse(`node:\n  image: ${image}\n`)).toEqual({ ...defaults, node: { ...defaults.node, image } })
  })

  it('may say everything', () => {
    const everything = {
      release: 'v2.6.13',
      registry: 'registry.example:5000/mirror',
      controllers: {
        ...{ image: 'mine/kube-controllers:1', container: 'controllers' },
        ...{ manager: 'systemd', unit: 'controllers.service' },
      },
      releases: {
        'v2.6.13': { node: 'mine/node:1', cni: 'mine/cni:1', controllers: 'mine/kube-controllers:1' },
        '2.6.12': { cni: 'mine/cni:1' },
      },
      node: { image: `calico/node@sha256:${'0'.repeat(64)}`, container: 'calico', manager: 'docker' },
      cni: {
        archive: '/srv/cni.tgz',
        binaries: ['calico'],
        sha256: { calico: '0'.repeat(64) },
        binDir: '/usr/lib/cni',
        configDir: '/etc/cni',
        configFile: '10-calico.conflist',
        merge: { mtu: 1440, log_level: null },
      },
      kubelet: { unit: 'my-kubelet.service', restart: 'never' },
      bird: { sockets: ['/run/bird.ctl'] },
      window: 60,
      settle: 0,
      docker: { socket: '/run/docker.sock' },
      kubernetes: { inCluster: true, node: 'a', cordon: false },
      fleet: { group: 'rack-7', slots: 2, stopAfter: 3, kubernetes: { namespace: 'n' } },
      hosted: { configMap: { veth_mtu: '1440', log_level: null } },
      retention: { runs: 1, images: 1 },
      apply: 'manual',
      service: { socket: '/run/agent.sock', listen: '[::1]:9470' },
    }
    expect(parse(stringify(everything))).toEqual(everything)
  })

  it('may be JSON, have comments, start with a byte-order mark, and leave the image to a flag', () => {
    expect(parse('{"window": 60}')).toEqual({ ...defaults, window: 60 })
    expect(parse('\ufeff# the window\nwindow: 60 # s\n')).toEqual({ ...defaults, window: 60 })
  })
})

describe('a CNI section', () => {
  it.each([
    [
      'two sources',
      'cni:\n  directory: /srv/cni\n  archive: /srv/cni.tgz\n',
      'set only one of directory and archive',
    ],
    [
      'a path for a plugin',
      'cni:\n  binaries: [../calico]\n',
      'must be the name of a CNI plugin, not a path',
    ],
    [
      'the installer',
      'cni:\n  binaries: [calico, install]\n',
      'is the installer of calico/cni, not a plugin',
    ],
    ['a hash that is none', 'cni:\n  sha256: { calico: abc }\n', 'must be a SHA-256: 64 hex digits'],
    ['a config elsewhere', 'cni:\n  configFile: /etc/10-calico.conf\n', 'must be a file name that ends in'],
    ['a hidden config', 'cni:\n  configFile: .calico.conf\n', 'must be a file name that ends in'],
    ['what is no JSON', 'cni:\n  merge: { mtu: .nan }\n', 'expected a JSON value, found the number NaN'],
    ['a unit that is none', 'kubelet:\n  unit: kubelet\n', 'must be a unit name'],
  ])('does not have %s', (_, text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(problem)])
  })
})

describe('all problems at once', () => {
  it('names place, key and what was found', () => {
    const text = `nodes:
  image: x
node:
  image: Quay.io/calico/Node:v2
  contaner: calico-node
  manager: kubelet
bird:
  sockets: [/run/bird.ctl, bird6.ctl]
window: 5
settle: soon
retention: { runs: 0, images: 1.5 }
docker: /var/run/docker.sock
`
    expect(problemsOf(text)).toEqual([
      'agent.yaml:1:1: nodes: unknown key; did you mean "node"? (known here: release, registry, releases, node, controllers, cni, kubelet, bird, window, settle, docker, kubernetes, hosted, fleet, retention, apply, service)',
      'agent.yaml:4:10: node.image: cannot use "Quay.io/calico/Node:v2" as an image: the repository must be lower case; use quay.io/calico/node:v2',
      'agent.yaml:5:3: node.contaner: unknown key; did you mean "container"? (known here: image, container, manager, unit)',
      'agent.yaml:6:12: node.manager: expected auto or docker or systemd, found the text "kubelet"',
      'agent.yaml:8:28: bird.sockets[1]: must be an absolute path, without a scheme such as unix://, found the text "bird6.ctl"',
      'agent.yaml:9:9: window: must be at least 10, found the number 5',
      'agent.yaml:10:9: settle: expected a whole number, found the text "soon"',
      'agent.yaml:11:20: retention.runs: must be at least 1, found the number 0',
      'agent.yaml:11:31: retention.images: expected a whole number, found the number 1.5',
      'agent.yaml:12:9: docker: expected a mapping, found the text "/var/run/docker.sock"',
    ])
  })

  it.each([
    ['node:\n', 'agent.yaml:1:6: node: expected a mapping, found nothing'],
    [
      'node: { image: 3.10 }',
      'agent.yaml:1:16: node.image: expected text, found the number 3.1: put it in quotes',
    ],
    ['node: { image: yes }', null],
    ['bird: { sockets: [] }', 'agent.yaml:1:18: bird.sockets: must not be empty'],
    [
      'bird: { sockets: /run/bird.ctl }',
      'agent.yaml:1:18: bird.sockets: expected a list, found the text "/run/bird.ctl"',
    ],
    ['window: 1e400', 'agent.yaml:1:9: window: expected a whole number, found the number Infinity'],
    ['window: 3601', 'agent.yaml:1:9: window: must be at most 3600, found the number 3601'],
    ['window: true', 'agent.yaml:1:9: window: expected a whole number, found the boolean true'],
    ['node: { container: "a b" }', expect.stringMatching(/node.container: must be a container name/)],
    [
      'service: { socket: /run//docker.sock }',
      'agent.yaml:1:20: service.socket: docker.socket has the same path: use another one for the service',
    ],
    ['docker: { socket: "unix:///var/run/docker.sock" }', expect.stringMatching(/absolute path/)],
    ['__proto__: { x: 1 }', expect.stringMatching(/__proto__: unknown key/)],
    ['1: 2', expect.stringMatching(/^agent.yaml:1:1: 1: unknown key/)],
    ['<<: { window: 60 }', expect.stringMatching(/<<: unknown key/)],
    ['- node', 'agent.yaml:1:1: expected a mapping, found a list'],
    ['release: 2.6', 'agent.yaml:1:10: release: expected text, found the number 2.6: put it in quotes'],
    [
      'release: latest',
      'agent.yaml:1:10: release: must be a release, such as v2.6.12, found the text "latest"',
    ],
    [
      'release: v2.6.13',
      'agent.yaml:1:10: release: release v2.6.13 is not in the table; the nearest ones are v2.6.10, v2.6.11, v2.6.12; you can add it under releases in the config',
    ],
    ['registry: https://quay.io', expect.stringMatching(/^agent.yaml:1:11: registry: must be a registry/)],
    ['registry: mirror', expect.stringMatching(/^agent.yaml:1:11: registry: must be a registry/)],
    ['registry: quay.io/', expect.stringMatching(/^agent.yaml:1:11: registry: must be a registry/)],
    [
      'releases: { next: {} }',
      'agent.yaml:1:13: releases.next: must be a release, such as v2.6.12, found the text "next"',
    ],
    [
      'releases: { v2.6.13: { node: a/b } }',
      'agent.yaml:1:22: releases.v2.6.13: no image for cni and controllers, and the built-in table does not have this release',
    ],
    [
      'releases: { v2.6.12: { node: a/b }, 2.6.12: { node: a/c } }',
      'agent.yaml:1:45: releases.2.6.12: v2.6.12 is the same release: remove one of the two',
    ],
    [
      'releases: { v2.6.12: { nod: a/b } }',
      expect.stringMatching(/1:24: releases.v2.6.12.nod: unknown key; did you mean "node"\?/),
    ],
    ['releases: { v2.6.12: { node: "a b" } }', expect.stringMatching(/1:30: releases.v2.6.12.node: cannot/)],
    ['just words', 'agent.yaml:1:1: expected a mapping, found the text "just words"'],
  ])('%j', (text, expected) => {
    if (expected === null) expect(parse(text).node.image).toBe('yes')
    else expect(problemsOf(text)).toEqual([expected])
  })

  it('tells that the service would take Docker’s place beside other problems', () => {
    const text = 'docker: { socket: /srv/d }\nservice: { socket: /srv/d }\nbird: { sockets: [] }\n'
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^agent.yaml:2:20: service.socket: docker.socket has the same path/),
      expect.stringMatching(/bird.sockets/),
    ])
  })
})

it('tells an unknown release beside all other problems', () => {
  expect(problemsOf('release: 2.6.4\nwindow: 5\nnod: {}\n')).toEqual([
    expect.stringMatching(/1:10: release: release 2.6.4 is not in the table, because it was withdrawn/),
    expect.stringMatching(/2:9: window/),
    expect.stringMatching(/3:1: nod: unknown key/),
  ])
})
