import { describe, expect, it } from 'vitest'
import type { Problem } from '../../agent/core/errors.ts'
import type { Outcome, Report } from '../../agent/core/report/report.ts'
import { renderReport } from '../../agent/report/human.ts'
import { SECRET, SECRET_URL, TO, upgraded } from './samples.ts'

function text(report: Partial<Report>, options: { color?: boolean; diff?: boolean } = {}): string {
  return renderReport({ ...upgraded, ...report }, { color: false, diff: false, ...options })
}

const failure = {
  code: 'gate-failed',
  severity: 'error' as const,
  message: 'cannot keep the new container: it exited with code 1',
  fix: 'mend the image, then run the upgrade again',
}

describe('renderReport', () => {
  it('shows what changed and how the window went', () => {
    expect(text({})).toMatchInlineSnapshot(`
      "upgraded
        node  quay.io/calico/node:v2.6.5 -> quay.io/calico/node:v2.6.12

      window   4.1 s of 90 s used
          0.000 s  old BIRD killed
          0.131 s  new BIRD up
          3.904 s  sessions back
          4.100 s  recovered
        [##------------------------------------------]

      run 20261122T141503Z-7f3a"
    `)
  })

  it('shows a plan as what would change, in order', () => {
    expect(text({ outcome: 'planned', run: null, window: null })).toMatchInlineSnapshot(`
      "would change
        node  quay.io/calico/node:v2.6.5 -> quay.io/calico/node:v2.6.12

      steps
        1. pull quay.io/calico/node:v2.6.12
        2. swap calico-node
        3. commit calico-node"
    `)
  })

  it('says of equal names what is the case', () => {
    const same = { from: TO, to: TO }
    const lines = (node: Report['components']['node'], moves: boolean) =>
      text({
        ...{ outcome: 'planned', changed: false, run: null, window: null },
        components: { ...(node && { node }), cni: { from: 'v1', to: 'v2' } },
        steps: upgraded.steps.map((step) => ({ ...step, component: moves ? 'node' : 'cni' })),
      }).split('\n')[1]
    expect(lines({ ...same, tagMoved: true }, true)).toBe(
      `  node  requested: ${TO} -> ${TO} (its tag now points to another image)`,
    )
    expect(lines(same, true)).toBe(`  node  requested: ${TO}, installed again`)
    expect(lines(same, false)).toBe(`  node  ${TO} is already in place`)
  })

  it('names what a prefetch brought as no change', () => {
    const shown = text({ outcome: 'prefetched', window: null }).split('\n')
    expect(shown[1]).toBe(`  node  ${TO} is here`)
  })

  it('tells what is the same of many peers once', () => {
    const peer = (subject: string): Problem => ({
      ...{ code: 'peer-down', severity: 'warning', subject, fix: `show ${subject}` },
      message: `peer ${subject} is already down`,
    })
    const shown = text({ problems: ['Mesh_a', 'Mesh_b', 'Mesh_c'].map(peer) }).split('\n')
    expect(shown.filter((line) => line.startsWith('warning'))).toEqual([
      'warning: peer Mesh_a is already down (2 more: Mesh_b, Mesh_c) [peer-down]',
    ])
  })

  it('shows after which step of a plan there is nothing to undo, where there are several commits', () => {
    const [step] = upgraded.steps
    if (!step) throw new Error('no step')
    const steps = (['commit', 'swap-controllers', 'commit'] as const).map((kind) => ({ ...step, kind }))
    expect(text({ outcome: 'planned', run: null, window: null, steps }).split('\n').at(-1)).toBe(
      '  step 1 is final: it stays even if a later step fails',
    )
  })

  it('shows what stayed and what came back of a partial run, and for how long no controllers ran', () => {
    const change = { from: 'calico/kube-controllers:v1.0.2', to: 'calico/kube-controllers:v1.0.5' }
    const components = { ...upgraded.components, controllers: { ...change, rolledBack: true as const } }
    const shown = text({ outcome: 'partial', components, window: null, controllersDownMs: 1_300 })
    expect(shown).toMatchInlineSnapshot(`
      "failed in part: what was committed stays, the rest was rolled back
        node  quay.io/calico/node:v2.6.5 -> quay.io/calico/node:v2.6.12
        controllers  rolled back to calico/kube-controllers:v1.0.2; requested: calico/kube-controllers:v1.0.5

      no controllers ran on this host for 1.3 s: new network policies, pods in new namespaces and changed labels waited until they were back; existing policy stayed in force

      run 20261122T141503Z-7f3a"
    `)
  })

  it('shows a failure that was rolled back', () => {
    const window = {
      ...upgraded.window,
      budgetMs: 90_000,
      birdDownMs: 240,
      sessionsBackMs: null,
    } as Report['window']
    const report = { outcome: 'rolled-back' as const, changed: false, window, problems: [failure] }
    expect(text(report)).toMatchInlineSnapshot(`
      "failed and rolled back: this host runs what it ran before
        node  requested: quay.io/calico/node:v2.6.5 -> quay.io/calico/node:v2.6.12

      window   4.1 s of 90 s used
          0.000 s  BIRD killed
          0.240 s  old BIRD up again
          4.100 s  recovered
        [##------------------------------------------]

      error: cannot keep the new container: it exited with code 1 [gate-failed]
        fix: mend the image, then run the upgrade again

      run 20261122T141503Z-7f3a"
    `)
  })

  it('shows what stands where when it is stuck', () => {
    const steps = upgraded.steps.map((step, i) => ({
      ...step,
      ms: i === 2 ? 0 : step.ms,
      status: (['verified', 'undoing', 'pending'] as const)[i] ?? 'pending',
    }))
    const fix = 'finish by hand:\n  docker rm -f new\n  docker start old'
    const report = {
      outcome: 'stuck' as const,
      changed: false,
      steps,
      window: null,
      problems: [{ ...failure, fix }],
    }
    expect(text(report)).toMatchInlineSnapshot(`
      "stuck: you must repair this host by hand; each error below says how
        node  requested: quay.io/calico/node:v2.6.5 -> quay.io/calico/node:v2.6.12

        verified   pull quay.io/calico/node:v2.6.12 (12 ms)
        undoing    swap calico-node (12 ms)
        pending    commit calico-node

      error: cannot keep the new container: it exited with code 1 [gate-failed]
        fix: finish by hand:
               docker rm -f new
               docker start old

      run 20261122T141503Z-7f3a"
    `)
  })

  it.each<[Outcome, Partial<Report>, string]>([
    ['unchanged', { components: { node: { from: TO, to: TO } } }, `nothing to do: ${TO} is already running`],
    ['unchanged', {}, `nothing to do: ${TO} is already here`],
    ['unchanged', { components: {} }, 'nothing to do'],
    [
      'prefetched',
      {},
      'prefetched: an upgrade has nothing left to pull; nothing that is running was touched',
    ],
    ['upgraded', {}, 'upgraded'],
    ['refused', {}, 'refused: nothing was changed'],
    ['rolled-back', {}, 'rolled back'],
    ['rolled-back', { changed: false }, 'failed and rolled back: this host runs what it ran before'],
    ['stuck', {}, 'stuck: you must repair this host by hand; each error below says how'],
    ['deferred', {}, 'deferred: nothing was changed; try again later'],
  ])('begins with the outcome: %s %o', (outcome, more, sentence) => {
    expect(text({ outcome, ...more }).split('\n')[0]).toBe(sentence)
  })

  it('refuses nobody who has not said what to run yet', () => {
    const problems: Problem[] = [{ ...failure, code: 'bad-config' }]
    expect(text({ outcome: 'refused', problems }).split('\n')[0]).toBe(
      'check the config and the flags: nothing was changed',
    )
  })

  it('says that the window was overrun, that it has no end, and who was released', () => {
    const window = {
      budgetMs: 90_000,
      birdDownMs: 131,
      sessionsBackMs: 95_000,
      recoveredMs: 95_200,
      usedMs: 95_200,
      releasedPeers: [],
    }
    expect(text({ window })).toContain('95.2 s of 90 s used: the peers may have withdrawn routes')
    const open = { ...window, recoveredMs: null, usedMs: null, releasedPeers: ['Mesh_a', 'Mesh_b'] }
    expect(text({ window: open })).toContain('window   90 s, and not everything came back')
    expect(text({ window: open })).toContain('released Mesh_a, Mesh_b: down before the run')
  })

  it('shows a diff only when asked, as unified diff', () => {
    const before = 'Env.A: 1\nHostConfig.Privileged: true\nImage: v1'
    const diff = [{ target: 'container calico-node', before, after: before.replace('v1', 'v2') }]
    expect(text({ diff }).includes('@@')).toBe(false)
    expect(text({ diff, window: null }, { diff: true })).toMatchInlineSnapshot(`
      "upgraded
        node  quay.io/calico/node:v2.6.5 -> quay.io/calico/node:v2.6.12

      --- container calico-node before
      +++ container calico-node after
      @@ -1,3 +1,3 @@
       Env.A: 1
       HostConfig.Privileged: true
      -Image: v1
      +Image: v2

      run 20261122T141503Z-7f3a"
    `)
    expect(text({ diff }, { diff: true, color: true })).toContain('\x1b[32m+Image: v2\x1b[39m')
  })

  it('shows no secret and no control character but its own colours', () => {
    const message = `cannot reach ${SECRET_URL}\x1b[2J\n    at somewhere`
    const diff = [{ target: 'x', before: '', after: `etcd: ${SECRET_URL}\x07` }]
    const report = { problems: [{ ...failure, message, fix: `curl ${SECRET_URL}` }], diff }
    expect(text(report, { diff: true, color: true })).not.toContain(SECRET)
    expect(text(report, { diff: true })).not.toMatch(/(?!\n)\p{Cc}/u)
  })

  it('colours only when asked', () => {
    expect(text({})).not.toContain('\x1b')
    expect(text({}, { color: true })).toContain('\x1b[32mupgraded\x1b[39m')
  })
})
