import { describe, expect, it } from 'vitest'
import { cniBackPart, cniConfigBackPart, type ReplacedPlugins } from '../../../agent/core/plan/back.ts'

const [OLD, NEW] = ['a'.repeat(64), 'b'.repeat(64)]

function replaced(changes: Partial<ReplacedPlugins> = {}): ReplacedPlugins {
  const binaries = [{ name: 'calico', sha256: NEW, previous: OLD }]
  return { run: 'R1', binDir: '/opt/cni/bin', binaries, installed: [NEW], kept: [OLD], ...changes }
}

describe('cniBackPart', () => {
  it('stages what the run kept, pinned to what was there, and swaps it in', () => {
    const { part, problems } = cniBackPart('R2', replaced())
    expect(problems).toEqual([])
    expect([...(part?.prepare ?? []), ...(part?.move ?? [])]).toMatchObject([
      {
        kind: 'stage-binaries',
        args: {
          run: 'R2',
          source: { kind: 'kept', binDir: '/opt/cni/bin', run: 'R1' },
          binaries: [{ name: 'calico', sha256: OLD }],
        },
      },
      { kind: 'swap-binaries', args: { run: 'R2', names: ['calico'] } },
    ])
  })

  it.each<[string, Partial<ReplacedPlugins>, string]>([
    [
      'somebody put another one there since',
      { installed: ['c'.repeat(64)] },
      'is not the one that run R1 installed',
    ],
    ['the kept one is gone', { kept: [null] }, 'the copy of calico that run R1 kept is gone'],
    [
      'there was none before',
      { binaries: [{ name: 'calico', sha256: NEW, previous: null }] },
      'there was no calico before run R1',
    ],
  ])('leaves the plugins, with a warning, where %s', (_, changes, why) => {
    const { part, problems } = cniBackPart('R2', replaced(changes))
    expect(part).toBeNull()
    expect(problems).toMatchObject([{ code: 'cni-not-put-back', severity: 'warning' }])
    expect(problems[0]?.message).toContain(why)
  })
})

describe('cniConfigBackPart', () => {
  const path = '/etc/cni/net.d/10-calico.conf'
  const args = { path, before: '{"mtu":1500}', after: '{"mtu":1440}', wayBack: 'x', reader: null }

  it('writes what the file said before, and restarts the kubelet that read the other', () => {
    const { part } = cniConfigBackPart('R2', { ...args, reader: 'kubelet.service' }, args.after)
    expect(part?.move).toMatchObject([
      { kind: 'write-cni-config', args: { path, before: args.after, after: args.before } },
      { kind: 'restart-kubelet', args: { unit: 'kubelet.service' } },
    ])
    expect(part?.kept).toEqual(['/etc/cni/net.d/.10-calico.conf.calico-agent-R2.old'])
  })

  it.each([
    ['another text', '{}'],
    ['nothing', null],
  ])('leaves a file that says %s', (_, text) => {
    const { part, problems } = cniConfigBackPart('R2', args, text)
    expect(part).toBeNull()
    expect(problems).toMatchObject([{ code: 'cni-config-changed', severity: 'warning' }])
  })
})
