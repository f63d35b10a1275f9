import { describe, expect, it } from 'vitest'
import { type KubeletFacts, kubeletRestart, versionCommand } from '../../../agent/core/cni/kubelet.ts'

const kubelet = (version: string | null, state: KubeletFacts['state'] = 'running'): KubeletFacts => ({
  unit: 'kubelet.service',
  state,
  version,
})

describe('a kubelet after a change of its CNI config', () => {
  it.each<[string, KubeletFacts, 'auto' | 'always' | 'never', boolean, string[]]>([
    ['1.3', kubelet('Kubernetes v1.3.10+coreos.0'), 'auto', true, []],
    ['1.4', kubelet('Kubernetes v1.4.0'), 'auto', false, []],
    ['1.10', kubelet('Kubernetes v1.10.13'), 'auto', false, []],
    ['0.21', kubelet('Kubernetes v0.21.4'), 'auto', true, []],
    ['2.0', kubelet('Kubernetes v2.0.0'), 'auto', false, []],
    ['unknown', kubelet(null), 'auto', false, ['warning kubelet-version-unknown']],
    [
      'unreadable',
      kubelet('flag provided but not defined'),
      'auto',
      false,
      ['warning kubelet-version-unknown'],
    ],
    ['1.10, always', kubelet('Kubernetes v1.10.13'), 'always', true, []],
    ['unknown, always', kubelet(null), 'always', true, []],
    ['1.3, never', kubelet('Kubernetes v1.3.10'), 'never', false, []],
    [
      '1.3 that is stopped',
      kubelet('Kubernetes v1.3.10', 'stopped'),
      'auto',
      false,
      ['warning kubelet-stopped'],
    ],
    [
      '1.3 without a unit',
      kubelet('Kubernetes v1.3.10', 'missing'),
      'auto',
      false,
      ['error kubelet-unit-missing'],
    ],
    ['none', kubelet(null, 'missing'), 'always', false, ['error kubelet-unit-missing']],
    ['1.6 without a unit', kubelet('Kubernetes v1.6.0', 'missing'), 'auto', false, []],
  ])('%s', (_, facts, asked, restart, told) => {
    const { problems, ...rest } = kubeletRestart(facts, asked)
    expect(rest).toEqual({ restart })
    expect(problems.map(({ severity, code }) => `${severity} ${code}`)).toEqual(told)
  })
})

describe('the question for its version', () => {
  const shown = (argv: string): string =>
    `{ path=${argv.split(' ')[0] ?? ''} ; argv[]=${argv} ; ignore_errors=no ; start_time=[n/a] }`

  it.each<[string, string[] | null]>([
    ['/usr/bin/kubelet --config=x', ['/usr/bin/kubelet', '--version']],
    ['/opt/bin/hyperkube kubelet --v=2', ['/opt/bin/hyperkube', 'kubelet', '--version']],
    ['/opt/bin/hyperkube proxy', null],
    ['/usr/lib/coreos/kubelet-wrapper --v=2', null],
    ['/usr/bin/docker run --rm hyperkube /hyperkube kubelet', null],
    ['/bin/sh -c /usr/bin/kubelet', null],
  ])('of %s', (argv, command) => {
    expect(versionCommand(shown(argv))).toEqual(command)
  })

  it('is none where nothing is shown', () => {
    expect(versionCommand('')).toBeNull()
  })
})
