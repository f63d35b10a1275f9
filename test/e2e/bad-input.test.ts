// What an operator can get wrong: each with its message, its way out and its exit code, and nothing changed.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RouteWatch, Traffic } from '../lab/index.ts'
import { expectRefusal, type Refusal, snapshot } from './refusal.ts'
import * as support from './support.ts'

/** For the tests' own files. */
const dir = '/srv/bad'

const places = `
umount ${dir}/readonly 2>/dev/null
rm -rf ${dir} && mkdir -m 0755 ${dir} && cd ${dir} || exit 1
touch file; ln -s /var/run/docker.sock symlink
mkdir -m 0777 open; ln -s open link
mkdir readonly && mount --bind readonly readonly && mount -o remount,ro,bind readonly`

/** A socket whose owner is dead. */
const deadSocket = (path: string): string[] => [
  'perl',
  '-MIO::Socket::UNIX',
  '-e',
  'IO::Socket::UNIX->new(Local => shift, Listen => 1) or die $!',
  path,
]

describe('a request that cannot be met', () => {
  let at: support.World
  let traffic: Traffic
  let routes: RouteWatch

  beforeAll(async () => {
    at = await support.world()
    const { mesh, host, peer } = at
    await host.ok(['sh', '-c', places])
    await host.ok(deadSocket(`${dir}/dead.sock`))
    await host.writeFile(`${dir}/nowhere.yaml`, 'node: {container: nowhere}\n')
    await host.writeFile(`${dir}/other.yaml`, 'node: {container: other}\n')
    await host.writeFile(`${dir}/file.yaml`, `bird: {sockets: [${dir}/file]}\n`)
    await host.writeFile(`${dir}/symlink.yaml`, `bird: {sockets: [${dir}/symlink]}\n`)
    const other = 'registry.lab:5000/other:1'
    await host.ok(['docker', 'tag', support.image('v2.6.5'), other])
    await host.ok(['docker', 'run', '-d', '--restart=always', '--name=other', other, 'sleep', '1000'])
    traffic = await mesh.traffic(host, peer)
    routes = await mesh.watchRoutes(peer)
  })

  afterAll(async () => {
    await at.host.ok(['umount', `${dir}/readonly`])
    const withdrawn = (await routes.stop()).map(({ route }) => route)
    support.expectNoCost({ traffic: await traffic.stop(), withdrawn })
  })

  it.each<[string, string[], Refusal]>([
    [
      'an image reference that is none',
      ['--node', 'calico/node:'],
      { code: 2, problem: 'bad-config', says: '--node: ', fix: 'calico-agent --help' },
    ],
    [
      'no image at all',
      [],
      {
        code: 2,
        problem: 'bad-config',
        says: 'no --to or --node was given',
        fix: 'use --to RELEASE or --node IMAGE',
      },
    ],
    [
      'a window that is no number',
      ['--window', 'soon'],
      { code: 2, problem: 'bad-usage', says: '--window needs a number', fix: 'calico-agent --help' },
    ],
    [
      'a config that is not there',
      ['--config', `${dir}/none.yaml`],
      { code: 2, problem: 'bad-config', says: 'no such file', fix: '--config' },
    ],
    [
      'a config that is a directory',
      ['--config', dir],
      { code: 2, problem: 'bad-config', says: `cannot read ${dir}`, fix: 'replace it with a regular file' },
    ],
    [
      'a rule that does not exist',
      ['--allow', 'anything'],
      { code: 2, problem: 'unknown-rule', says: 'cannot allow "anything"', fix: 'bird-down' },
    ],
    [
      'a container that does not exist',
      ['--config', `${dir}/nowhere.yaml`],
      { code: 3, problem: 'container-missing', says: 'cannot upgrade nowhere', fix: 'docker ps -a' },
    ],
    [
      'a Docker socket that is a file',
      ['--docker-socket', `${dir}/file`],
      {
        code: 3,
        problem: 'docker-socket-invalid',
        says: 'it is a regular file',
        fix: '/var/run/docker.sock',
      },
    ],
    [
      'a Docker socket that is a symlink',
      ['--docker-socket', `${dir}/symlink`],
      {
        code: 3,
        problem: 'docker-socket-invalid',
        says: 'a symbolic link to /var/run/docker.sock',
        fix: 'use the path that it points to',
      },
    ],
    [
      'a Docker socket that nobody listens at',
      ['--docker-socket', `${dir}/dead.sock`],
      {
        code: 3,
        problem: 'docker-unreachable',
        says: 'nothing listens on the socket',
        fix: 'systemctl start docker',
      },
    ],
    [
      'a Docker socket that is not there',
      ['--docker-socket', `${dir}/none.sock`],
      {
        code: 3,
        problem: 'docker-unreachable',
        says: 'the socket does not exist',
        fix: 'systemctl start docker',
      },
    ],
    [
      'a state directory that is a file',
      ['--state-dir', `${dir}/file`],
      { code: 3, problem: 'state-dir-unusable', says: `cannot use ${dir}/file`, fix: '--state-dir' },
    ],
    [
      'a state directory that is a symlink',
      ['--state-dir', `${dir}/link`],
      {
        code: 3,
        problem: 'state-dir-unusable',
        says: 'it is a symbolic link',
        fix: 'use the directory that it points to',
      },
    ],
    [
      'a state directory that others can write to',
      ['--state-dir', `${dir}/open`],
      { code: 3, problem: 'state-dir-unusable', says: 'writable by its group or others', fix: 'chmod 0700' },
    ],
    [
      'a state directory on a read-only file system',
      ['--state-dir', `${dir}/readonly`],
      { code: 3, problem: 'state-dir-unusable', says: 'read-only file system', fix: 'read-write' },
    ],
    [
      'a BIRD socket that is a file',
      ['--config', `${dir}/file.yaml`],
      { code: 3, problem: 'bird-socket-invalid', says: 'it is a file', fix: 'bird.sockets' },
    ],
    [
      'a BIRD socket that is a symlink',
      ['--config', `${dir}/symlink.yaml`],
      { code: 3, problem: 'bird-socket-invalid', says: 'it is a symbolic link', fix: 'bird.sockets' },
    ],
  ])('%s', async (name, argv, refusal) => {
    const { host } = at
    const before = await snapshot(host)
    const node =
      argv.includes('--node') || name === 'no image at all' ? [] : ['--node', support.image('v2.6.12')]
    expectRefusal(await support.agent(host, 'upgrade', ...node, ...argv), refusal)
    expect(await snapshot(host)).toEqual(before)
  })

  it('a container that is not calico/node, unless it is allowed', async () => {
    const { host } = at
    const before = await snapshot(host)
    // nor does a BIRD answer that is its own: the one at the host's socket is calico-node's
    const argv = ['--node', support.image('v2.6.12'), '--config', `${dir}/other.yaml`, '--allow', 'bird-down']
    expectRefusal(await support.agent(host, 'upgrade', ...argv), {
      code: 3,
      problem: 'not-calico-node',
      says: 'which does not look like calico/node',
      fix: 'set node.container in the config; --allow not-calico-node overrides',
    })
    const allowed = await support.agent(host, 'plan', ...argv, '--allow', 'not-calico-node')
    expect(allowed.code).toBe(0)
    expect(allowed.report.problems.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(allowed.report.problems).toContainEqual(
      expect.objectContaining({ code: 'not-calico-node', severity: 'warning' }),
    )
    expect(await snapshot(host)).toEqual(before)
  })

  it('a config with several mistakes: all are told at once, each with its place', async () => {
    const { host } = at
    const path = `${dir}/wrong.yaml`
    await host.writeFile(
      path,
      'nodes: {}\nnode:\n  image: "calico/node:"\n  container: 7\nwindow: soon\nsettle: -1\n',
    )
    const { code, report } = await support.agent(host, 'upgrade', '--config', path)
    expect(code).toBe(2)
    expect(report.problems.map(({ message }) => message.split(': ').slice(0, 2).join(': '))).toEqual([
      `${path}:1:1: nodes`,
      `${path}:3:10: node.image`,
      `${path}:4:14: node.container`,
      `${path}:5:9: window`,
      `${path}:6:9: settle`,
    ])
    expect(report.problems[0]?.message).toContain('did you mean "node"?')

    const human = await host.run(['agent', 'upgrade', '--config', path])
    expect(human.code).toBe(2)
    for (const { message } of report.problems) expect(human.stdout).toContain(message)
  })

  it('somebody who may not talk to Docker', async () => {
    const { host } = at
    const user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    const argv = [
      'agent',
      'upgrade',
      '--node',
      support.image('v2.6.12'),
      '--state-dir',
      '/tmp/nobody',
      '--json',
    ]
    const { code, stdout } = await host.run([...user, ...argv])
    expectRefusal(
      { code, report: JSON.parse(stdout) as support.AgentResult['report'], stderr: '' },
      { code: 3, problem: 'docker-denied', says: '/var/run/docker.sock is denied', fix: 'as root' },
    )
  })
})
