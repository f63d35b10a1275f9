import { describe, expect, it } from 'vitest'
import type { StatusReport } from '../../agent/core/report/status.ts'
import { renderStatus } from '../../agent/report/status.ts'
import { FROM, RUN, SECRET, SECRET_URL, TO, upgraded } from './samples.ts'

const session = {
  name: 'Mesh_192_0_2_2',
  neighbor: '192.0.2.2',
  established: true,
  info: 'Established',
  imported: 12,
  restarting: null,
}
const full: StatusReport = {
  schema: 1,
  node: {
    container: 'calico-node',
    id: '3f2a91c0b7de'.padEnd(64, '0'),
    image: FROM,
    imageId: `sha256:${'1'.repeat(64)}`,
    digest: `sha256:${'2'.repeat(64)}`,
    version: 'v2.6.5',
    state: 'running',
    startedAt: '2026-11-22T14:15:03.123456789Z',
    upMs: 86_400_000,
    restartPolicy: 'always',
    owner: { kind: 'docker' },
  },
  bird: [
    {
      family: 4,
      socket: '/var/run/calico/bird.ctl',
      via: 'host',
      lastReboot: '2026-11-22 14:15:05',
      announcedMs: 120_000,
      recovering: true,
      waitTimer: '225/240',
      sessions: [
        session,
        {
          ...session,
          name: 'Node_10_0_0_1',
          neighbor: '10.0.0.1',
          imported: 1,
          established: false,
          info: 'Active  Socket: No route to host',
        },
      ],
    },
  ],
  announcedMs: 120_000,
  controllers: null,
  cni: {
    binDir: '/opt/cni/bin',
    plugins: [
      { name: 'calico', sha256: 'a'.repeat(64), version: 'v2.0.6' },
      { name: 'calico-ipam', sha256: null, version: null },
    ],
  },
  cniConfig: {
    path: '/etc/cni/net.d/10-calico.conflist',
    plugins: ['calico', 'portmap'],
    cniVersion: '0.3.1',
    isCalico: true,
  },
  kubernetes: null,
  kubelet: [],
  deployment: null,
  lastRun: {
    run: RUN,
    outcome: 'upgraded',
    components: { node: { from: FROM, to: TO } },
    startedAt: '2026-11-22T14:15:03.000Z',
    window: upgraded.window,
  },
  unfinishedRun: { run: RUN, startedAt: '2026-11-22T14:15:03.000Z', command: 'upgrade', atWork: null },
  upgrade: {
    refused: false,
    changed: true,
    components: { node: { from: FROM, to: TO } },
    moves: ['node'],
    problems: [],
  },
  problems: [],
}

function text(more: Partial<StatusReport> = {}, color = false): string {
  return renderStatus({ ...full, ...more }, { color })
}

describe('renderStatus', () => {
  it('shows what stands on the host', () => {
    expect(text()).toMatchInlineSnapshot(`
      "node        calico-node (3f2a91c0b7de), running since 2026-11-22 14:15:03Z
                  restart policy always, kept running by Docker alone
      image       quay.io/calico/node:v2.6.5, version v2.6.5
                  sha256:2222222222222222222222222222222222222222222222222222222222222222
      bird        IPv4, /var/run/calico/bird.ctl: started at 2026-11-22 14:15:05, recovery in progress, wait timer 225/240
                  Mesh_192_0_2_2  192.0.2.2  12 routes  Established
                  Node_10_0_0_1   10.0.0.1   1 route    Active  Socket: No route to host
                  announces a restart time of 120 s
      cni         /opt/cni/bin
                  calico       v2.0.6      sha256 aaaaaaaaaaaa
                  calico-ipam  is missing
      cni config  /etc/cni/net.d/10-calico.conflist: calico, portmap, CNI 0.3.1
      last run    20261122T141503Z-7f3a, 2026-11-22 14:15:03Z: upgraded
                  node: quay.io/calico/node:v2.6.5 -> quay.io/calico/node:v2.6.12, window 4.1 s of 90 s
      unfinished  20261122T141503Z-7f3a, upgrade of 2026-11-22 14:15:03Z; to finish or undo it: calico-agent resume
      upgrade     would install: node quay.io/calico/node:v2.6.12"
    `)
  })

  it('goes on under its text at the width of a terminal, with each row of a table in one piece', () => {
    expect(renderStatus(full, { color: false, columns: 80 })).toMatchInlineSnapshot(`
      "node        calico-node (3f2a91c0b7de), running since 2026-11-22 14:15:03Z
                  restart policy always, kept running by Docker alone
      image       quay.io/calico/node:v2.6.5, version v2.6.5
               sha256:2222222222222222222222222222222222222222222222222222222222222222
      bird        IPv4, /var/run/calico/bird.ctl: started at 2026-11-22 14:15:05,
                  recovery in progress, wait timer 225/240
                  Mesh_192_0_2_2  192.0.2.2  12 routes  Established
                  Node_10_0_0_1   10.0.0.1   1 route    Active  Socket: No route to
                  host
                  announces a restart time of 120 s
      cni         /opt/cni/bin
                  calico       v2.0.6      sha256 aaaaaaaaaaaa
                  calico-ipam  is missing
      cni config  /etc/cni/net.d/10-calico.conflist: calico, portmap, CNI 0.3.1
      last run    20261122T141503Z-7f3a, 2026-11-22 14:15:03Z: upgraded
                  node: quay.io/calico/node:v2.6.5 -> quay.io/calico/node:v2.6.12,
                  window 4.1 s of 90 s
      unfinished  20261122T141503Z-7f3a, upgrade of 2026-11-22 14:15:03Z; to finish or
                  undo it: calico-agent resume
      upgrade     would install: node quay.io/calico/node:v2.6.12"
    `)
  })

  it('shows the directories that the kubelet was told of', () => {
    const kubelet: StatusReport['kubelet'] = [
      { flag: '--cni-conf-dir', paths: ['/srv/net.d'], isAsked: false },
      { flag: '--cni-bin-dir', paths: ['/opt/cni/bin', '/usr/lib/cni'], isAsked: true },
    ]
    expect(text({ kubelet })).toContain(
      'kubelet     --cni-conf-dir=/srv/net.d, not cni.configDir\n            --cni-bin-dir=/opt/cni/bin,/usr/lib/cni\n',
    )
  })

  it('shows the Node of this host, and who cordoned it', () => {
    const node = { name: 'host-1', unschedulable: false, cordonedBy: null, run: null }
    const shown = (
      change: Partial<typeof node> | Record<string, unknown>,
      uncordonPending: string | null = null,
    ) => text({ kubernetes: { node: { ...node, ...change }, uncordonPending } })
    expect(shown({})).toContain('kubernetes  Node host-1: schedulable\n')
    expect(shown({ unschedulable: true, cordonedBy: 'kubectl' })).toContain(
      'Node host-1: cordoned by kubectl\n',
    )
    expect(shown({ unschedulable: true, run: RUN }, RUN)).toContain(
      `Node host-1: cordoned by run ${RUN}\n            run ${RUN} still has to uncordon it: calico-agent resume\n`,
    )
    expect(text({ kubernetes: { node: null, uncordonPending: null } })).toContain(
      'kubernetes  Node unknown\n',
    )
  })

  it('shows restart times under their own daemon where they differ', () => {
    const [daemon] = full.bird ?? []
    if (!daemon) throw new Error('no daemon')
    const bird6 = { ...daemon, family: 6 as const, socket: '/var/run/calico/bird6.ctl', sessions: [] }
    const times = (announcedMs: number) =>
      text({ bird: [daemon, { ...bird6, announcedMs }] }).match(/IPv\d|restart time of \d+ s/g)
    expect(times(120_000)).toEqual(['IPv4', 'IPv6', 'restart time of 120 s'])
    expect(times(30_000)).toEqual(['IPv4', 'restart time of 120 s', 'IPv6', 'restart time of 30 s'])
  })

  it('shows a peer that restarts, and for how long its routes are kept', () => {
    const away = { ...session, established: false, info: 'Active', restarting: { secondsLeft: 116 } }
    const bird = full.bird?.map((daemon) => ({ ...daemon, sessions: [away] })) ?? []
    expect(text({ bird })).toContain('Active, in a graceful restart, 116 s left\n')
  })

  it('shows who is at work on a run', () => {
    const unfinishedRun = full.unfinishedRun && {
      ...full.unfinishedRun,
      atWork: { pid: 4711, command: 'daemon (upgrade)' },
    }
    const shown = text({ unfinishedRun })
    expect(shown).toContain(
      'in progress  20261122T141503Z-7f3a, upgrade of 2026-11-22 14:15:03Z, by pid 4711, calico-agent daemon (upgrade)\n',
    )
    expect(shown).not.toContain('calico-agent resume')
  })

  it('shows a bare host', () => {
    const nothing = {
      node: null,
      bird: null,
      announcedMs: null,
      cni: null,
      cniConfig: null,
      lastRun: null,
      unfinishedRun: null,
      upgrade: null,
    }
    expect(text(nothing)).toMatchInlineSnapshot(`
      "node        no calico/node container
      bird        none on this host
      cni config  none that the kubelet uses"
    `)
  })

  it('says who else keeps the container', () => {
    const owner = {
      kind: 'systemd' as const,
      unit: 'calico-node.service',
      why: 'its ExecStart names the container',
    }
    const node = full.node && { ...full.node, owner, digest: null }
    expect(text({ node })).toContain(
      'kept running by systemd unit calico-node.service: its ExecStart names the container',
    )
    expect(text({ node })).toContain('111111111111, no registry digest')
  })

  it('says that a node has just started', () => {
    const node = full.node && { ...full.node, upMs: 12_345 }
    expect(text({ node })).toContain('running since 2026-11-22 14:15:03Z, started 12 s ago\n')
  })

  it('says what an upgrade would do', () => {
    const components = { node: { from: TO, to: TO } }
    expect(
      text({ upgrade: { refused: false, changed: false, components, moves: [], problems: [] } }),
    ).toContain(`nothing to do: node ${TO} is already in place`)
    const some = text({
      upgrade: {
        ...{ refused: false, changed: true, moves: ['cni'], problems: [] },
        components: { node: { from: TO, to: TO }, cni: { from: 'v1.11.2', to: 'v2.0.6' } },
      },
    })
    expect(some).toContain('would install: cni v2.0.6\n')
    expect(some).toContain(`already in place: node ${TO}`)
    const problem = {
      code: 'peer-down',
      severity: 'error' as const,
      message: 'peer x is down',
      fix: 'birdc show',
    }
    const refused = text({
      upgrade: { refused: true, changed: false, components: {}, moves: [], problems: [problem] },
      problems: [problem],
    })
    expect(refused).toContain('would be refused')
    const restarting = { ...problem, code: 'peer-restarting' }
    expect(
      text({ upgrade: { refused: true, changed: false, components: {}, moves: [], problems: [restarting] } }),
    ).toContain('would be deferred')
    expect(refused.split('error: peer x is down [peer-down]\n  fix: birdc show')).toHaveLength(2)
  })

  it('shows no secret, no control character, and colours only when asked', () => {
    const broken = { ...session, info: `\x1b[2Jerror\n${SECRET_URL}` }
    const bird = full.bird?.map((daemon) => ({ ...daemon, sessions: [broken] })) ?? []
    expect(text({ bird }, true)).not.toContain(SECRET)
    expect(text({ bird })).not.toMatch(/(?!\n)\p{Cc}/u)
    expect(text({}, true)).toContain('\x1b[32mEstablished\x1b[39m')
  })
})
