import { describe, expect, it } from 'vitest'

import type { Problem } from '../../agent/core/errors.ts'
import type { Observed, ObservedNode } from '../../agent/core/model.ts'
import {
  checkAllowed,
  prefetchProblems,
  preflight,
  preflightWithoutImage,
  RULES,
} from '../../agent/core/preflight.ts'

import { deadSession, session, upView } from '../fakes/bird.ts'
import { container, digest, image, newImage, node, observed, unit, unreachable, wanted } from './observed.ts'
import { unitOf } from './unit/units.ts'

/** `error code` or `warning code`, in the order found. */
const found = (host: Observed, allow: string[] = []) =>
  preflight(host, { ...wanted, allow }).map(({ severity, code }) => `${severity} ${code}`)

const runs = { ref: 'calico/node:v2.6.5', local: null, remote: { digest: digest('a'), platforms: [] } }
const birdDown = {
  code: 'bird-down',
  severity: 'error',
  message: 'cannot take the baseline',
  fix: 'none',
} as const

/** A container that Docker itself does not start again. */
const alone = container({ HostConfig: { RestartPolicy: { Name: 'no' } } })

const composed = container({
  Config: {
    Labels: {
      'com.docker.compose.project': 'net',
      'com.docker.compose.service': 'node',
      'com.docker.compose.project.working_dir': '/srv/net',
      'com.docker.compose.project.config_files': 'docker-compose.yml',
    },
  },
})

it('does not judge a unit by an image that nobody asks for', () => {
  const source = unitOf('[Service]\nExecStart=/usr/bin/docker run --name=calico-node calico/node:${V}\n', {
    env: 'V=v2.6.5\n',
  })
  const host = observed({ node: node({ unit: unit({}, source), container: alone }), image: null })
  const asked = { ...wanted, node: { ...wanted.node, image: null } }
  const looked = RULES.flatMap((rule) => rule.look(host, asked)?.problems ?? [])
  expect(looked.map(({ code }) => code)).not.toContain('systemd-owned')
})

it('says which file docker-compose makes the container from', () => {
  const [problem] = preflight(observed({ node: node({ container: composed }) }), wanted)
  expect(problem).toMatchObject({
    message: expect.stringContaining('/srv/net/docker-compose.yml') as string,
    fix: expect.stringContaining('set services.node.image to calico/node:v2.6.12') as string,
  })
})

describe('preflight', () => {
  it.each<[string, Observed, string[]]>([
    ['a host that is fine', observed(), []],
    ['a host without the container', observed({ node: null }), ['error container-missing']],
    [
      'a pod of Kubernetes',
      observed({ node: node({ owner: { kind: 'kubelet', why: 'x' } }) }),
      ['error hosted-install'],
    ],
    ['a unit of systemd', observed({ node: node({ unit: unit(), container: alone }) }), []],
    [
      'a unit that cannot be changed',
      observed({ node: node({ unit: unit({ fileState: 'masked' }), container: alone }) }),
      ['error systemd-owned'],
    ],
    [
      'a unit that was changed and not read again, beside a restart policy of Docker',
      observed({
        node: node({
          unit: unit({ needsReload: true }),
          container: container({ HostConfig: { RestartPolicy: { Name: 'on-failure' } } }),
        }),
      }),
      ['warning unit-changed-on-disk', 'warning two-keepers'],
    ],
    [
      'another unit, or cron, that would start it',
      observed({
        node: node({
          claims: [{ by: '/etc/cron.d/x', line: '@reboot docker start calico-node', starts: true }],
        }),
      }),
      ['error kept-elsewhere'],
    ],
    [
      'a container of docker-compose',
      observed({ node: node({ container: composed }) }),
      ['warning compose-file'],
    ],
    [
      'something else than calico/node',
      observed({ node: node({ container: container({ Config: { Image: 'nginx' } }) }) }),
      ['error not-calico-node'],
    ],
    [
      'a container that does not run',
      observed({ node: node({ container: container({ Running: false }) }) }),
      ['error node-not-running'],
    ],
    [
      '--rm',
      observed({
        node: node({
          container: container({ HostConfig: { AutoRemove: true, RestartPolicy: { Name: 'no' } } }),
        }),
      }),
      ['warning auto-remove'],
    ],
    [
      'no restart policy',
      observed({ node: node({ container: container({ HostConfig: { RestartPolicy: { Name: '' } } }) }) }),
      ['warning no-restart-policy'],
    ],
    [
      'a backend without BIRD',
      observed({ node: node({ backend: 'vxlan', daemons: [] }) }),
      ['warning no-bird'],
    ],
    [
      'a BIRD that does not answer',
      observed({ node: node({ daemons: [] }), problems: [birdDown] }),
      ['error bird-down'],
    ],
    [
      'a node that has just started, and its BIRD does not answer yet',
      observed({ node: node({ upMs: 2_000, daemons: [] }), problems: [birdDown] }),
      ['error bird-down', 'warning just-started'],
    ],
    [
      'a node that has just started, and its BIRD recovers',
      observed({ node: node({ upMs: 2_000 }, upView('old', [session(2)], true)) }),
      ['error bird-recovering', 'warning just-started'],
    ],
    [
      'a node whose BIRD should have answered by now',
      observed({ node: node({ upMs: 60_000, daemons: [] }), problems: [birdDown] }),
      ['error bird-down'],
    ],
    ['a node that has just started, and its BIRD is back', observed({ node: node({ upMs: 20_000 }) }), []],
    [
      'a recovery in progress',
      observed({ node: node({}, upView('old', [session(2)], true)) }),
      ['error bird-recovering'],
    ],
    [
      'a peer without graceful restart',
      observed({ node: node({}, upView('old', [session(2, { restartAware: false })])) }),
      ['error peer-not-restart-aware'],
    ],
    [
      'a dead peer, of which nothing is known',
      observed({ node: node({}, upView('old', [session(2), deadSession(9)])) }),
      ['warning peer-down'],
    ],
    [
      'a disabled peer',
      observed({ node: node({}, upView('old', [session(2), { ...deadSession(9), disabled: true }])) }),
      [],
    ],
    [
      'an image for another machine',
      observed({
        image: { ...newImage, remote: { digest: digest('b'), platforms: ['linux/arm64', 'linux/ppc64le'] } },
      }),
      ['error wrong-architecture'],
    ],
    [
      'an image that does not say for which machine',
      observed({ image: { ...newImage, remote: { digest: digest('b'), platforms: [] } } }),
      [],
    ],
    [
      'a registry that is away',
      observed({ image: { ...newImage, remote: unreachable } }),
      ['error registry-unreachable'],
    ],
    [
      'a registry that is away, with the image here',
      observed({ image: { ...newImage, local: image('2'), remote: unreachable } }),
      ['warning registry-unreachable'],
    ],
    [
      'a host that runs the image already, whatever BIRD shows',
      observed({ node: node({}, upView('old', [], true)), image: runs, problems: [birdDown] }),
      [],
    ],
  ])('of %s', (_, host, problems) => {
    expect(found(host)).toEqual(problems)
  })

  it('tells all at once', () => {
    const sick = node(
      {
        container: container({
          Config: { Image: 'nginx' },
          Running: false,
          HostConfig: { RestartPolicy: { Name: 'no' } },
        }),
      },
      upView('old', [session(2, { restartAware: false }), deadSession(9)], true),
    )
    expect(
      found(observed({ node: sick, image: { ...newImage, remote: unreachable }, problems: [birdDown] })),
    ).toEqual([
      'error not-calico-node',
      'error node-not-running',
      'warning no-restart-policy',
      'error bird-recovering',
      'error peer-not-restart-aware',
      'warning peer-down',
      'error bird-down',
      'error registry-unreachable',
    ])
  })

  it('gives every problem a way out', () => {
    const sick = node(
      { container: container({ Config: { Image: 'nginx' }, Running: false }) },
      upView('old', [deadSession(9)], true),
    )
    for (const { fix, message } of preflight(observed({ node: sick }), wanted)) {
      expect(fix).not.toBe('')
      expect(message).not.toMatch(/\.$/)
    }
  })

  it.each([
    ['calico/node', true],
    ['quay.io/calico/node:v2.6.5', true],
    ['registry:5000/calico/node', true],
    [`quay.io/calico/node@${digest('a')}`, true],
    ['registry.example/mirror/calico-node:1', true],
    ['registry.example/tigera/cnx-node:1', true],
    ['calico/node-driver:v1', false],
    ['calico/cni:v1', false],
    ['nginx', false],
    [digest('1'), false],
  ])('takes %s for calico/node: %s', (Image, looks) => {
    const problems = found(observed({ node: node({ container: container({ Config: { Image } }) }) }))
    expect(problems.includes('error not-calico-node')).toBe(!looks)
  })

  it('knows calico/node under any name by its program', () => {
    const Config = { Image: 'mirror/net:1', Cmd: ['start_runit'] }
    expect(found(observed({ node: node({ container: container({ Config }) }) }))).toEqual([])
  })
})

describe('--allow', () => {
  const recovering = observed({ node: node({}, upView('old', [session(2)], true)) })

  it('makes a rule a warning that says so', () => {
    expect(preflight(recovering, { ...wanted, allow: ['bird-recovering'] })).toMatchObject([
      { severity: 'warning', message: expect.stringMatching(/ \(allowed\)$/) as unknown },
    ])
  })

  it('leaves the other rules alone', () => {
    expect(found(recovering, ['bird-down'])).toEqual(['error bird-recovering'])
  })

  it.each([
    ...['hosted-install', 'container-missing', 'wrong-architecture', 'registry-unreachable'],
    ...['mismatched-set', 'peer-down'],
  ])('has no rule %s', (rule) => {
    expect(() => {
      checkAllowed([rule])
    }).toThrow(`cannot allow "${rule}": no such rule`)
    expect(found(observed({ node: null }), [rule])).toEqual(['error container-missing'])
  })

  it.each(['', 'toString', 'constructor', '__proto__'])('has no rule "%s" by accident', (rule) => {
    expect(() => {
      checkAllowed([rule])
    }).toThrow(expect.objectContaining({ code: 'unknown-rule', exitCode: 2 }))
  })

  it('takes every rule that it names', () => {
    expect(() => {
      checkAllowed([
        ...['not-calico-node', 'node-not-running', 'bird-down', 'bird-recovering'],
        'peer-not-restart-aware',
        ...['withdrawn-version', 'datastore-migration', 'downgrade', 'dropped-env'],
      ])
    }).not.toThrow()
  })
})

describe('preflight of a rollback', () => {
  const rollback = (of: ObservedNode | null, problems: Problem[] = []) =>
    preflightWithoutImage({ ...observed({ node: of, problems }), image: null }, wanted, 'node')

  it('asks nothing of the image', () => {
    expect(rollback(node())).toEqual([])
  })

  it('asks the same of BIRD', () => {
    const recovering = node({}, upView('old', [session(2)], true))
    expect(rollback(recovering, [birdDown]).map(({ code }) => code)).toEqual(['bird-recovering', 'bird-down'])
    expect(rollback(null)).toMatchObject([{ code: 'container-missing' }])
  })
})

describe('prefetchProblems', () => {
  it('says what the image is for', () => {
    const remote = { digest: digest('b'), platforms: ['linux/arm64'] }
    expect(prefetchProblems(observed({ image: { ...newImage, remote } }), wanted)).toMatchObject([
      {
        message: 'cannot use calico/node:v2.6.12: it is built for linux/arm64, and this host is linux/amd64',
      },
    ])
  })
})
