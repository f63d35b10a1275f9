import { describe, expect, it } from 'vitest'
import type { KubeletDirectory } from '../../../agent/core/cni/kubelet-directories.ts'
import type { Observed, ObservedCni, ObservedCniConfig, ObservedPlugin } from '../../../agent/core/model.ts'
import { upgradePlan } from '../../../agent/core/plan/build.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import type { Wanted } from '../../../agent/core/wanted.ts'
import { node, observed, wanted as plain } from '../observed.ts'

const RUN = 'R1'
const PATH = '/etc/cni/net.d/10-calico.conf'
const WAY_BACK = '/etc/cni/net.d/.10-calico.conf.calico-agent-R1.old'
const before = '{"type":"calico","policy":{"k8s_auth_token":"hunter2"}}'
const after = '{"type":"calico","policy":{"k8s_auth_token":"hunter2"},"mtu":1440}'
const change = { path: PATH, before, after, plugins: ['calico'], cniVersion: '0.3.1' }

const calico: ObservedPlugin = {
  name: 'calico',
  path: '/opt/cni/bin/calico',
  isThere: true,
  versions: ['0.1.0', '0.3.1'],
}
const kubelet = { unit: 'kubelet.service', state: 'running', version: 'Kubernetes v1.6.4' } as const
const config: ObservedCniConfig = { change, plugins: [calico], kubelet, problems: [] }

const wanted: Wanted = {
  ...plain,
  cniConfig: { ...plain.places, merge: { mtu: 1440 }, kubelet: { unit: 'kubelet.service', restart: 'auto' } },
}

/** A host whose node is left alone. */
const host = (cniConfig: Partial<ObservedCniConfig> = {}): Observed =>
  observed({ image: null, cniConfig: { ...config, ...cniConfig } })

const planned = (seen: Observed, asked = wanted) =>
  upgradePlan({
    run: RUN,
    wanted: asked,
    observed: seen,
    leftovers: { containers: [], images: [], files: [] },
  })

const kinds = (seen: Observed): string[] => planned(seen).plan.steps.map(({ kind }) => kind)

describe('the plan of a CNI config', () => {
  it('writes it, and removes the way back behind the commit', () => {
    const { plan } = planned(host())
    expect(plan.components).toEqual({ cniConfig: { from: PATH, to: `${PATH} with cni.merge` } })
    expect(plan.steps).toEqual([
      {
        kind: 'write-cni-config',
        component: 'cniConfig',
        args: { path: PATH, before, after, wayBack: WAY_BACK, reader: null },
      },
      { kind: 'commit', component: 'cniConfig', args: { containers: [] } },
      { kind: 'clean-up', component: 'cniConfig', args: { containers: [], images: [], files: [WAY_BACK] } },
    ])
  })

  it('restarts a kubelet that would not see it', () => {
    const { steps } = planned(host({ kubelet: { ...kubelet, version: 'Kubernetes v1.3.10' } })).plan
    expect(steps.slice(0, 2)).toMatchObject([
      { kind: 'write-cni-config', args: { reader: 'kubelet.service' } },
      { kind: 'restart-kubelet', args: { unit: 'kubelet.service' } },
    ])
  })

  it('comes behind the node', () => {
    expect(kinds(observed({ node: node(), cniConfig: config }))).toEqual([
      ...['pull-image', 'create-container', 'swap-container', 'write-cni-config', 'commit', 'clean-up'],
    ])
  })

  it('is none where the patch changes nothing', () => {
    const seen = host({ change: { ...change, after: before } })
    expect(planned(seen)).toEqual({
      plan: { run: RUN, command: 'upgrade', components: { cniConfig: { from: PATH, to: PATH } }, steps: [] },
      diff: [],
    })
  })

  it('shows its diff without the secrets', () => {
    const [diff] = planned(host()).diff
    expect(diff).toEqual({
      target: PATH,
      before: before.replace('hunter2', '<redacted>'),
      after: after.replace('hunter2', '<redacted>'),
    })
  })
})

describe('the preflight of a CNI config', () => {
  /** calico is not there yet: this run puts it there. */
  const pending: ObservedCni = {
    installed: [{ name: 'calico', sha256: null, version: null }],
    offered: [{ name: 'calico', sha256: 'a'.repeat(64) }],
    version: '2.0.6',
    image: null,
    nodename: { written: true, optional: false },
    problems: [],
  }
  const told = (seen: Observed, asked = wanted): string[] =>
    preflight({ ...seen, cni: asked.cni.source ? pending : null }, asked).map(
      ({ severity, code }) => `${severity} ${code}`,
    )
  const missing = { ...calico, isThere: false, versions: null }
  const source = { kind: 'directory', path: '/srv/cni' } as const
  const withBinaries = {
    ...wanted,
    cni: { ...wanted.cni, source, binaries: ['calico'] },
  }
  const silent = { code: 'cni-plugin-silent', severity: 'error', message: 'm', fix: 'f' } as const
  it.each<[string, KubeletDirectory[], string[]]>([
    ['no flags', [], []],
    ['the same directory', [{ flag: '--cni-conf-dir', paths: ['/etc/cni/net.d'], isAsked: true }], []],
    [
      'another one',
      [{ flag: '--cni-conf-dir', paths: ['/srv/net.d'], isAsked: false }],
      ['error kubelet-cni-directory'],
    ],
    ['other plugins, which stay', [{ flag: '--cni-bin-dir', paths: ['/usr/lib/cni'], isAsked: false }], []],
  ])('a kubelet with %s', (_, kubeletDirectories, expected) => {
    const problems = preflight({ ...host(), kubeletDirectories }, wanted)
    expect(problems.map(({ severity, code }) => `${severity} ${code}`)).toEqual(expected)
    for (const { message, fix } of problems) {
      expect(message).toContain('kubelet.service runs with --cni-conf-dir=/srv/net.d')
      expect(fix).toContain('set cni.configDir to /srv/net.d')
    }
  })

  const shadowed = { code: 'cni-config-shadowed', severity: 'error', message: 'm', fix: 'f' } as const

  it.each<[string, Partial<ObservedCniConfig>, Wanted, string[]]>([
    ['fine', {}, wanted, []],
    ['a plugin that is missing', { plugins: [missing] }, wanted, ['error cni-plugin-missing']],
    ['one that this run puts there', { plugins: [missing] }, withBinaries, []],
    [
      'a version that the plugin does not know',
      { plugins: [{ ...calico, versions: ['0.1.0'] }] },
      wanted,
      ['error cni-version-unknown'],
    ],
    [
      'a plugin that does not answer',
      { plugins: [{ ...calico, versions: silent }] },
      wanted,
      ['error cni-plugin-silent'],
    ],
    ['an old one that this run replaces', { plugins: [{ ...calico, versions: silent }] }, withBinaries, []],
    [
      'a kubelet of unknown age',
      { kubelet: { ...kubelet, version: null } },
      wanted,
      ['warning kubelet-version-unknown'],
    ],
    [
      'no change, whatever else',
      { change: { ...change, after: before }, plugins: [missing], kubelet: { ...kubelet, version: null } },
      wanted,
      [],
    ],
    ['another config before it', { problems: [shadowed] }, wanted, ['error cni-config-shadowed']],
    [
      'another config before it, allowed',
      { problems: [shadowed] },
      { ...wanted, allow: ['cni-config-shadowed'] },
      ['warning cni-config-shadowed'],
    ],
  ])('tells of %s', (_, seen, asked, problems) => {
    expect(told(host(seen), asked)).toEqual(problems)
  })
})
