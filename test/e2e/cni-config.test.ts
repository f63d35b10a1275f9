// Calico's CNI config on a real host: who reads it is a stand-in for a kubelet, and its plugins answer VERSION only.

import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { installFaultyAgent } from '../faults/build.ts'
import { FAULTY_AGENT } from '../faults/trial.ts'
import { type Host, installOldPlugins, pluginState, pluginsOf } from '../lab/index.ts'
import {
  hasRead,
  installKubelet,
  installKubeletWithFlags,
  KUBELET_UNIT,
  kubeletPid,
} from './kubelet-stand-in.ts'
import * as support from './support.ts'
import { UPGRADED } from './under-way.ts'

const DIR = '/etc/cni/net.d'
const FILE = `${DIR}/10-calico.conf`
const OLD = `{
    "name": "calico-k8s-network",
    "cniVersion": "0.1.0",
    "type": "calico",
    "etcd_endpoints": "https://root:hunter2@192.0.2.10:2379",
    "serial" : 12345678901234567890,
    "ipam": { "type": "calico-ipam" }
}
`
const NEW = OLD.replace('"calico-ipam" }', '"calico-ipam" },\n    "mtu": 1440')
const kubelet = { unit: KUBELET_UNIT, restart: 'auto' }
const quick = { window: 60, settle: 1, kubelet }

let at: support.World
let oldId: string
let oldStat: string

beforeEach(async () => {
  at = await support.world()
  const { host } = at
  for (const name of ['calico', 'calico-ipam']) await plugin(host, name, '["0.1.0","0.2.0","0.3.0"]')
  await host.writeFile(FILE, OLD, 0o640)
  await host.ok(['chown', '12:34', FILE])
  await host.ok(['touch', '-d', '2017-11-22 14:15:03.123456789', FILE])
  await installKubelet(host, 'v1.3.10')
  await support.configure(host, { ...quick, cni: { merge: { mtu: 1440 } } })
  oldId = await support.nodeId(host)
  oldStat = await stat(host)
})

/** Inode, owner, mode and the time to the nanosecond. */
const stat = (host: Host): Promise<string> => host.ok(['stat', '--format=%i %u:%g %a %.Y', FILE])
const files = async (host: Host): Promise<string> => (await host.ok(['ls', '-A', DIR])).trim()

async function plugin(host: Host, name: string, versions: string): Promise<void> {
  const script = `#!/bin/sh\n[ "$CNI_COMMAND" = VERSION ] && echo '{"cniVersion":"0.3.0","supportedVersions":${versions}}'\n`
  await host.writeFile(`/opt/cni/bin/${name}`, script, 0o755)
}

/** Nothing of the change is there, on disk or in the kubelet. */
async function expectOldConfig(host: Host): Promise<void> {
  expect(await host.readFile(FILE)).toBe(OLD)
  expect(await stat(host)).toBe(oldStat)
  expect(await files(host)).toBe('10-calico.conf')
  expect(await hasRead(host)).toBe(OLD)
}

async function expectNewConfig(host: Host): Promise<void> {
  expect(await host.readFile(FILE)).toBe(NEW)
  expect(await stat(host)).toMatch(/^\d+ 12:34 640 /)
  expect(await files(host)).toBe('10-calico.conf')
  expect(await hasRead(host)).toBe(NEW)
}

describe('a change of the CNI config alone', () => {
  it('is shown, made, seen by an old kubelet, and is none the second time', async () => {
    const { host } = at
    const shown = await host.ok(['agent', 'plan', '--diff'])
    expect(shown).toContain(
      '-    "ipam": { "type": "calico-ipam" }\n+    "ipam": { "type": "calico-ipam" },\n+    "mtu": 1440',
    )
    expect(shown).toContain(`https://<redacted>@192.0.2.10`)
    await expectOldConfig(host)

    const first = await support.agent(host, 'upgrade')
    expect(first).toMatchObject({ code: 0, report: { outcome: 'upgraded', changed: true, window: null } })
    expect(first.report.steps.map(({ kind }) => kind)).toEqual([
      ...['write-cni-config', 'restart-kubelet', 'commit', 'clean-up'],
    ])
    expect(JSON.stringify(first.report)).not.toContain('hunter2')
    await expectNewConfig(host)

    const pid = await kubeletPid(host)
    const second = await support.agent(host, 'upgrade')
    expect(second).toMatchObject({ code: 0, report: { outcome: 'unchanged', changed: false, problems: [] } })
    expect(await kubeletPid(host)).toBe(pid)
    await support.expectAsBefore(host, oldId)
    const status = JSON.parse(await host.ok(['agent', 'status', '--json'])) as { cniConfig: unknown }
    expect(status.cniConfig).toEqual({ path: FILE, plugins: ['calico'], cniVersion: '0.1.0', isCalico: true })
  })

  it('leaves a kubelet alone that sees it by itself', async () => {
    const { host } = at
    await installKubelet(host, 'v1.6.4')
    const pid = await kubeletPid(host)
    expect(await support.agent(host, 'upgrade')).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    expect(await host.readFile(FILE)).toBe(NEW)
    expect(await kubeletPid(host)).toBe(pid)
  })

  it('is refused where the kubelet reads another directory, whoever tells it so', async () => {
    const { host } = at
    const plan = () => support.agent(host, 'plan')
    for (const how of ['environment', 'script'] as const) {
      await installKubeletWithFlags(host, how)
      await expect.poll(plan, { timeout: 60_000 }).toMatchObject({ code: 3 })
      support.expectRefused(await plan(), 'kubelet-cni-directory')
    }
    const { stdout } = await host.run(['agent', 'status'])
    expect(stdout).toContain('--cni-conf-dir=/srv/net.d, not cni.configDir')
    await installKubeletWithFlags(host, 'environment')
    await host.ok(['systemctl', 'stop', KUBELET_UNIT])
    support.expectRefused(await plan(), 'kubelet-cni-directory')
  })

  it.each<[string, string, (host: Host) => Promise<unknown>]>([
    [
      'cni-plugin-missing',
      'a plugin that is not there',
      (host) => host.ok(['rm', '/opt/cni/bin/calico-ipam']),
    ],
    [
      'cni-version-unknown',
      'a plugin that does not know the version',
      (host) => plugin(host, 'calico', '["0.2.0"]'),
    ],
    [
      'cni-plugin-silent',
      'a plugin that does not answer',
      (host) => host.writeFile('/opt/cni/bin/calico', '', 0o755),
    ],
    ['cni-config-second', 'a second Calico config', (host) => host.ok(['cp', FILE, `${DIR}/20-calico.json`])],
    [
      'cni-config-invalid',
      'a config that is no JSON',
      (host) => host.writeFile(FILE, '{\n "type" "calico"\n}'),
    ],
    ['cni-config-missing', 'no config', (host) => host.ok(['mv', FILE, `${FILE}.bak`])],
    [
      'cni-config-symlink',
      'a link',
      (host) => host.ok(['sh', '-c', `mv ${FILE} /etc/cni/real; ln -s ../real ${FILE}`]),
    ],
    [
      'cni-config-shadowed',
      'another config before it',
      (host) => host.writeFile(`${DIR}/00-x.conf`, '{"type":"bridge"}'),
    ],
  ])('is refused: %s, for %s', async (code, _, spoil) => {
    await spoil(at.host)
    support.expectRefused(await support.agent(at.host, 'upgrade'), code)
  })
})

describe('node and CNI config in one run', () => {
  const upgrade = () => support.agent(at.host, 'upgrade', '--node', support.image('v2.6.12'))

  it('are changed together, at no cost', async () => {
    const cost = await support.costOf(at, upgrade)
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    expect(await support.containers(at.host)).toEqual(UPGRADED)
    await expectNewConfig(at.host)
  })

  it('are both as before, byte for byte, when the gate of the node fails', async () => {
    const { host } = at
    const failed = await support.agent(host, 'upgrade', '--node', support.image('exits-at-once'))
    expect(failed).toMatchObject({ code: 4, report: { outcome: 'rolled-back', changed: false } })
    await support.expectAsBefore(host, oldId)
    await expectOldConfig(host)
  })

  it('are both as before, byte for byte, when the kubelet does not stand the config', async () => {
    const { host } = at
    await support.configure(host, { ...quick, cni: { merge: { mtu: 1440, note: 'break-the-kubelet' } } })
    const cost = await support.costOf(at, upgrade)
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome }).toEqual({ code: 4, outcome: 'rolled-back' })
    expect(report.problems.map((problem) => problem.code)).toEqual(['kubelet-failed'])
    await support.expectAsBefore(host, oldId)
    await expectOldConfig(host)
  })
})

describe('node, CNI plugins and CNI config in one run', () => {
  let plugins: string
  beforeEach(async () => {
    await installOldPlugins(at.host)
    plugins = await pluginState(at.host)
  })
  const all = ['--node', support.image('v2.6.12'), '--cni', support.lab.registry.cniImage('v2.0.6')]

  it('are changed together, at no cost', async () => {
    const cost = await support.costOf(at, () => support.agent(at.host, 'upgrade', ...all))
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome }).toEqual({ code: 0, outcome: 'upgraded' })
    const moves = report.steps
      .map(({ kind }) => kind)
      .filter((kind) => /swap|write|restart|commit/.test(kind))
    expect(moves).toEqual([
      ...['swap-container', 'swap-binaries', 'write-cni-config', 'restart-kubelet', 'commit'],
    ])
    expect(await pluginsOf(at.host)).toMatchObject({ calico: 'of v2.0.6', 'calico-ipam': 'of v2.0.6' })
    await expectNewConfig(at.host)
    expect((await support.containers(at.host))[0]).toBe('calico-node v2.6.12 running always')
  })

  it('are put back together by a rollback, at no cost', async () => {
    const { host } = at
    const before = await pluginsOf(host)
    await support.agent(host, 'upgrade', ...all)
    await at.mesh.untilSettled()
    const cost = await support.costOf(at, () => support.agent(host, 'rollback'))
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'rolled-back', changed: true } })
    const { calico, 'calico-ipam': ipam } = await pluginsOf(host)
    expect({ calico, ipam }).toEqual({ calico: before['calico'], ipam: before['calico-ipam'] })
    expect(await host.readFile(FILE)).toBe(OLD)
    expect((await support.containers(host))[0]).toBe('calico-node v2.6.5 running always')
    expect(await support.nodeId(host)).toBe(oldId)
  })

  it('are all as before, byte for byte, when the last of them fails', async () => {
    const { host } = at
    await support.configure(host, { ...quick, cni: { merge: { mtu: 1440, note: 'break-the-kubelet' } } })
    const cost = await support.costOf(at, () => support.agent(host, 'upgrade', ...all))
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 4, report: { outcome: 'rolled-back', changed: false } })
    expect(await pluginState(host)).toBe(plugins)
    await expectOldConfig(host)
    await support.expectAsBefore(host, oldId)
  })

  it('are refused before anything moves when the new plugins do not know the version of the new config', async () => {
    const { host } = at
    await support.configure(host, { ...quick, cni: { merge: { cniVersion: '9.9.9' } } })
    const { code, report } = await support.agent(host, 'upgrade', ...all)
    expect({ code, outcome: report.outcome }).toEqual({ code: 3, outcome: 'refused' })
    expect(await pluginState(host)).toBe(plugins)
    await expectOldConfig(host)
    await support.expectAsBefore(host, oldId)
  })
})

describe('an agent that dies while it changes the CNI config', () => {
  beforeAll(async () => {
    await installFaultyAgent(support.lab)
  })

  it.each([
    { point: 'before configs.replace#1', powerCut: false },
    { point: 'after configs.replace#1', powerCut: false },
    { point: 'after kubelet.restart#1', powerCut: false },
    { point: 'before configs.remove#1', powerCut: false },
    { point: 'after configs.replace#1', powerCut: true },
    { point: 'after kubelet.restart#1', powerCut: true },
  ])(
    '$point (with a power cut: $powerCut) leaves node and config old or new, whole',
    async ({ point, powerCut }) => {
      const { host, mesh } = at
      const argv = [
        `/opt/calico-agent/${FAULTY_AGENT}`,
        'upgrade',
        '--node',
        support.image('v2.6.12'),
        '--json',
      ]
      expect((await host.run(argv, { env: { AGENT_FAULT: `${point}=kill` } })).code).toBe(137)
      if (powerCut) {
        await host.powerCut()
        await host.powerOn()
      }
      const { stdout, stderr } = await host.run(['agent', 'resume', '--json'])
      const { outcome } = support.parseReport(stdout, stderr)
      await mesh.untilSettled()
      expect(outcome).toBe(powerCut ? 'rolled-back' : 'upgraded')
      if (outcome === 'upgraded') {
        await expectNewConfig(host)
        expect((await support.containers(host))[0]).toBe('calico-node v2.6.12 running always')
      } else {
        await expectOldConfig(host)
        await support.expectAsBefore(host, oldId)
      }
      expect(await support.agent(host, 'resume')).toMatchObject({ code: 0, report: { outcome: 'unchanged' } })
    },
  )
})
