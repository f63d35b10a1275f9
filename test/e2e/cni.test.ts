// CNI plugins on a host: each source, the node's transaction, and what is refused.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import type { StatusReport } from '../../agent/core/report/status.ts'
import { textOf } from '../docs/markdown.ts'
import { BIN_DIR, installOldPlugins, pluginState, pluginsOf, pullImage, until } from '../lab/index.ts'
import { quickly, startAgent } from './background.ts'
import * as support from './support.ts'

const cni = (tag: string): string => support.lab.registry.cniImage(tag)

let at: support.World
let before: string

beforeEach(async () => {
  at = await support.world()
  await installOldPlugins(at.host)
  before = await pluginState(at.host)
})

const upgrade = (...args: string[]) => support.agent(at.host, 'upgrade', ...args)
const pull = (tag: string) => pullImage(at.host, cni(tag))

/** Both plugins, the old ones kept, another vendor's untouched; nothing else. */
function swapped(mark: string): Record<string, string> {
  return {
    '.calico-agent-RUN-calico-ipam.old': 'of old',
    '.calico-agent-RUN-calico.old': 'of old',
    calico: mark,
    'calico-ipam': mark,
    loopback: '',
  }
}

/** What a unit allows its process, as options of systemd-run. */
function sandbox(unit: string): string[] {
  const limits =
    /^(?:Protect|Private|Restrict[A-Z]|ReadWrite|NoNew|Lock|Keyring|RemoveIPC|Capability|SystemCall|StateDir|UMask)\w*=.*$/gm
  return (
    textOf(`systemd/${unit}`)
      .match(limits)
      ?.flatMap((limit) => ['-p', limit]) ?? []
  )
}

describe('CNI plugins', () => {
  it.each(['v2.0.6', 'v3.26.1', 'install-layout', 'volume'])('are taken from an image: %s', async (tag) => {
    const { host } = at
    const { code, report } = await upgrade('--cni', cni(tag))
    expect({ code, outcome: report.outcome, problems: report.problems }).toEqual({
      code: 0,
      outcome: 'upgraded',
      problems: [],
    })
    expect(await pluginsOf(host)).toEqual(swapped(`of ${tag}`))
    expect(await host.ok(['stat', '-c', '%a %u:%g', `${BIN_DIR}/calico`])).toBe('750 12:34\n')
    expect(await support.containers(host)).toEqual(['calico-node v2.6.5 running always'])
    expect(await host.ok(['docker', 'volume', 'ls', '-q'])).toBe('')
    const again = await upgrade('--cni', cni(tag))
    expect(again).toMatchObject({ code: 0, report: { outcome: 'unchanged', changed: false } })
  })

  it('are taken from a directory and from an archive, and seen in the status', async () => {
    const { host } = at
    await pull('v2.0.6')
    await host.ok([
      'sh',
      '-c',
      `docker create --name cni ${cni('v2.0.6')} x && docker cp cni:/opt/cni/bin /srv/cni`,
    ])
    await host.ok(['docker', 'rm', 'cni'])
    expect(await upgrade('--cni', '/srv/cni')).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    expect(await pluginsOf(host)).toEqual(swapped('of v2.0.6'))
    await host.ok(['tar', '-czf', '/srv/cni.tgz', '-C', '/srv', 'cni'])
    expect(await upgrade('--cni', '/srv/cni.tgz')).toMatchObject({ report: { outcome: 'unchanged' } })
    const { stdout } = await host.run(['agent', 'status', '--json'])
    const status = JSON.parse(stdout) as StatusReport
    expect(status.cni?.plugins.map(({ name }) => name)).toEqual(['calico', 'calico-ipam'])
    await host.ok(['rm', '-rf', '/srv/cni', '/srv/cni.tgz'])
  })

  it('are staged by a prefetch, and taken over by the upgrade', async () => {
    const { host } = at
    await pull('v2.0.6')
    expect(await support.agent(host, 'prefetch', '--cni', cni('v2.0.6'))).toMatchObject({
      code: 0,
      report: { outcome: 'prefetched' },
    })
    expect(await pluginsOf(host)).toMatchObject({
      calico: 'of old',
      '.calico-agent-RUN.new/calico': 'of v2.0.6',
    })
    const inode = await host.ok(['sh', '-c', `stat -c %i ${BIN_DIR}/.calico-agent-*.new/calico`])
    await upgrade('--cni', cni('v2.0.6'))
    expect(await host.ok(['stat', '-c', '%i', `${BIN_DIR}/calico`])).toBe(inode)
    expect(await pluginsOf(host)).toEqual(swapped('of v2.0.6'))
  })

  it.each([
    ['no-ipam', 'cni-binary-missing'],
    ['wrong-arch', 'wrong-architecture'],
  ])('are refused from the image %s: %s', async (tag, problem) => {
    await pull(tag)
    support.expectRefused(await upgrade('--cni', cni(tag)), problem)
    expect(await pluginState(at.host)).toBe(before)
    expect(await support.containers(at.host)).toEqual(['calico-node v2.6.5 running always'])
  })

  it('of v3.1 are refused without the nodename file, and with it are not', async () => {
    await at.host.ok(['rm', '/var/lib/calico/nodename'])
    support.expectRefused(await upgrade('--cni', cni('v3.1.3')), 'cni-needs-nodename')
    expect(await pluginState(at.host)).toBe(before)
    const conf = '{"name":"k8s-pod-network","type":"calico","nodename_file_optional":true}'
    await at.host.writeFile('/etc/cni/net.d/10-calico.conf', conf)
    expect(await upgrade('--cni', cni('v3.1.3'))).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
  })

  it('keep the set-uid bit that the installer of Calico gives them, also in the sandbox of the service', async () => {
    const { host } = at
    const mode = async (): Promise<string> => await host.ok(['stat', '-c', '%a %u:%g', `${BIN_DIR}/calico`])
    await host.ok(['chmod', '4755', `${BIN_DIR}/calico`])
    const old = await mode()
    const run = ['systemd-run', '--wait', '--pipe', '--quiet', ...sandbox('calico-agent.service')]
    const { stdout } = await host.run([...run, 'agent', 'upgrade', '--json', '--cni', cni('v2.0.6')])
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'upgraded', problems: [] })
    expect(await pluginsOf(host)).toEqual(swapped('of v2.0.6'))
    expect(await mode()).toBe(old)
  })

  it('are refused on a read-only file system, and through ReadWritePaths= are not', async () => {
    const { host } = at
    await pull('v2.0.6')
    const run = ['systemd-run', '--wait', '--pipe', '--quiet', '-p', 'ProtectSystem=strict']
    const writable = ['-p', 'ReadWritePaths=/var/lib/calico-agent']
    const asked = ['agent', 'upgrade', '--json', '--cni', cni('v2.0.6')]
    await host.ok(['mkdir', '-p', '/var/lib/calico-agent'])
    const refused = await host.run([...run, ...writable, ...asked])
    expect(refused.stdout).toContain('cni-bin-dir-unusable')
    expect(await pluginState(host)).toBe(before)
    const done = await host.run([...run, ...writable, '-p', `ReadWritePaths=${BIN_DIR}`, ...asked])
    expect(done.stdout).toContain('"outcome":"upgraded"')
    expect(await pluginsOf(host)).toEqual(swapped('of v2.0.6'))
  })
})

describe('an agent that is killed while it reads an image', () => {
  it('leaves a container, which its resume removes with what was staged', async () => {
    const { host } = at
    // not here yet: it is read in the run, not before
    const run = await startAgent(host, 'upgrade', '--cni', cni('big'))
    const sources = () =>
      host.docker.listContainers({ all: true, filters: { label: ['calico-agent.cni-source'] } })
    await until('the container that is read', async () => (await sources()).length > 0)
    await run.kill('SIGKILL')
    expect((await run.done).code).toBe(137)
    expect(await sources()).toHaveLength(1)
    expect(await support.agent(host, 'resume')).toMatchObject({ code: 3, report: { outcome: 'refused' } })
    expect(await sources()).toEqual([])
    expect(await pluginState(host)).toBe(before)
  })
})

describe('a node and its CNI plugins', () => {
  it('go up in one run, the node first, at no cost', async () => {
    const { host } = at
    const flags = await quickly(host)
    const cost = await support.costOf(at, () =>
      upgrade('--node', support.image('v2.6.12'), '--cni', cni('v2.0.6'), ...flags),
    )
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome }).toEqual({ code: 0, outcome: 'upgraded' })
    expect(report.steps.map(({ kind }) => kind)).toEqual([
      'pull-image',
      'create-container',
      'pull-image',
      'stage-binaries',
      'swap-container',
      'swap-binaries',
      'commit',
    ])
    expect(await pluginsOf(host)).toEqual(swapped('of v2.0.6'))
  })

  it('go back byte for byte, times included, where the node does not pass its gate', async () => {
    const { host } = at
    const flags = await quickly(host)
    const id = await support.nodeId(host)
    const { code, report } = await upgrade(
      '--node',
      support.image('no-bird'),
      '--cni',
      cni('v2.0.6'),
      ...flags,
    )
    expect({ code, outcome: report.outcome }).toEqual({ code: 4, outcome: 'rolled-back' })
    expect(await pluginState(host)).toBe(before)
    await support.expectAsBefore(host, id)
  })
})

describe('the stand-in plugins', () => {
  it('are the programs of Debian', async () => {
    await upgrade('--cni', cni('v2.0.6'))
    const { stdout } = await at.host.run([`${BIN_DIR}/calico-ipam`], {
      env: { CNI_COMMAND: 'VERSION' },
      input: '{}',
    })
    expect(JSON.parse(stdout)).toHaveProperty('supportedVersions')
    const path = `${at.host.root}${BIN_DIR}/calico`
    expect((await readFile(path)).subarray(0, 4).toString('latin1')).toBe('\x7fELF')
    await promisify(execFile)('cmp', ['-n', '2000000', path, '/usr/lib/cni/ptp'])
  })
})
