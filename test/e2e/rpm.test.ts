// The RPM's scriptlets under real rpm and systemd, on a host of the lab: installed, upgraded, kept and removed.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copy, outputFile } from 'fs-extra/esm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { JournalEntry } from '../../agent/journal/record.ts'
import { buildRpm } from '../../scripts/packaging/rpm.ts'
import { root } from '../docs/markdown.ts'
import { plan, recordsOf, textOf } from '../journal/sample.ts'
import { type ExecResult, type Host, until } from '../lab/index.ts'
import { pack, packaged } from './packages.ts'
import { program } from './program.ts'
import * as support from './support.ts'

const config = '/etc/calico-agent/agent.yaml'
const state = '/var/lib/calico-agent'
const [service, resumeUnit] = ['calico-agent.service', 'calico-agent-resume.service']
const metricsTimer = 'calico-agent-metrics.timer'

let directory: string
let rpmFile: string
let newerRpm: string
let host: Host
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-agent-rpm-'))
  ;[rpmFile = ''] = await pack(directory, ['--format', 'rpm'])
  newerRpm = await newer()
  host = (await support.world()).host
})
afterAll(async () => {
  await host.run(['sh', '-c', `rm -rf ${state} /etc/calico-agent /var/lib/rpm`])
  await rm(directory, { recursive: true })
})

/** By its version, and its default config. */
async function newer(): Promise<string> {
  const tree = join(directory, 'newer')
  await copy(join(directory, 'package'), tree)
  await outputFile(join(tree, config), '# the newer default\nwindow: 60\n')
  const options = { architecture: 'amd64', compression: 'none', epoch: 1_795_737_600 } as const
  return await buildRpm(tree, {
    root,
    built: join(root, 'dist'),
    out: directory,
    version: '99.0.0',
    ...options,
  })
}

/** This machine's rpm, on the host's files and among its processes. Debian's packages meet none of its requirements. */
async function rpm(...argv: string[]): Promise<ExecResult> {
  const enter = ['nsenter', `--target=${host.pid}`, '--net', '--pid', '--uts', '--ipc'] as const
  return await program([...enter, 'rpm', '--root', host.root, ...argv], process.env)
}

const said = async (...argv: string[]): Promise<string> => (await host.run(argv, packaged)).stdout.trim()
const enabled = (unit: string): Promise<string> => said('systemctl', 'is-enabled', unit)
const servicePid = (): Promise<string> => said('systemctl', 'show', '--value', '--property=MainPID', service)

it('is installed with its units enabled and its service up', async () => {
  expect(await rpm('--nodeps', '--install', rpmFile)).toMatchObject({ code: 0 })
  expect(await said('calico-agent', '--version')).toBe(await said('agent', '--version'))
  expect([await enabled(service), await enabled(resumeUnit)]).toEqual(['enabled', 'enabled'])
  expect(await enabled(metricsTimer)).toBe('disabled')
  expect(await said('systemctl', 'is-active', service)).toBe('active')
  expect(await rpm('--nodeps', '--verify', 'calico-agent')).toMatchObject({ code: 0, stdout: '' })
})

it('is upgraded without a start of the service, where somebody stopped it', async () => {
  await host.ok(['systemctl', 'stop', service])
  expect(await rpm('--nodeps', '--upgrade', newerRpm)).toMatchObject({ code: 0 })
  expect([await enabled(service), await said('systemctl', 'is-active', service)]).toEqual([
    'enabled',
    'inactive',
  ])
  expect(await rpm('--nodeps', '--upgrade', '--oldpackage', rpmFile)).toMatchObject({ code: 0 })
  await host.ok(['systemctl', 'start', service])
})

it('is upgraded with the config and the choice of units kept; the service then runs the new program', async () => {
  await host.writeFile(config, 'apply: manual\nwindow: 45 # ours\n')
  await host.ok(['systemctl', 'disable', resumeUnit])
  await host.ok(['systemctl', 'enable', '--now', '--quiet', metricsTimer])
  const before = await servicePid()
  expect(await rpm('--nodeps', '--upgrade', newerRpm)).toMatchObject({ code: 0 })
  expect((await rpm('--query', 'calico-agent')).stdout).toBe('calico-agent-99.0.0-1.x86_64\n')
  expect(await host.readFile(config)).toBe('apply: manual\nwindow: 45 # ours\n')
  expect(await host.readFile(`${config}.rpmnew`)).toContain('the newer default')
  expect([await enabled(service), await enabled(resumeUnit)]).toEqual(['enabled', 'disabled'])
  const restarted = async (): Promise<boolean> => !['0', before].includes(await servicePid())
  await until('the service to run the new program', restarted)
})

it('stays while a run waits for its resume', async () => {
  await host.ok(['systemctl', 'stop', service])
  const journal = `${state}/runs/interrupted.jsonl`
  const entries: JournalEntry[] = [
    { type: 'run', order: 1, agent: '1.0', plan: plan('interrupted'), problems: [] },
    { type: 'doing', step: 0 },
  ]
  await host.writeFile(journal, textOf(recordsOf(entries)))
  const refused = await rpm('--nodeps', '--erase', 'calico-agent')
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toMatch(
    /cannot remove calico-agent: run interrupted was interrupted[^]*fix: calico-agent resume/,
  )
  expect((await host.run(['calico-agent', '--version'], packaged)).code).toBe(0)
  await host.ok(['rm', journal])
})

it('stays while the service cannot be stopped', async () => {
  const dropIn = `/etc/systemd/system/${service}.d`
  await host.writeFile(`${dropIn}/test.conf`, '[Unit]\nRefuseManualStop=yes\n')
  await host.ok(['systemctl', 'daemon-reload'])
  await host.ok(['systemctl', 'start', service])
  try {
    expect((await rpm('--nodeps', '--erase', 'calico-agent')).code).not.toBe(0)
    expect(await said('systemctl', 'is-active', service)).toBe('active')
    expect([await enabled(service), (await host.run(['agent', '--version'], packaged)).code]).toEqual([
      'enabled',
      0,
    ])
  } finally {
    await host.ok(['rm', '-r', dropIn])
    await host.ok(['systemctl', 'daemon-reload'])
  }
})

it('is removed with its units; the config that was changed and the journals stay', async () => {
  expect(await rpm('--nodeps', '--erase', 'calico-agent')).toMatchObject({ code: 0 })
  const left =
    "find /usr/bin /usr/lib/systemd /etc/systemd /etc/alternatives -name '*calico-agent*' -o -name agent"
  expect(await said('sh', '-c', left)).toBe('')
  for (const unit of [service, metricsTimer])
    expect(await said('systemctl', 'is-active', unit)).toBe('inactive')
  expect(await host.readFile(`${config}.rpmsave`)).toContain('# ours')
  expect(await host.exists(`${state}/runs`)).toBe(true)
})
