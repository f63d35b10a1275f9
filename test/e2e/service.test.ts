// The service under the real systemd, with the unit that is installed.

import { beforeEach, describe, expect, it } from 'vitest'
import { type Host, until } from '../lab/index.ts'
import {
  ask,
  logged,
  property,
  quick,
  replaceConfig,
  runs,
  startService,
  systemctl,
  textfile,
  untilService,
} from './service.ts'
import * as support from './support.ts'
import { MOMENTS, slowImage, UPGRADED, upgradeUntil } from './under-way.ts'

let at: support.World
let host: Host
let oldId: string

beforeEach(async () => {
  at = await support.world()
  host = at.host
  oldId = await support.nodeId(host)
})

async function untilLogs(line: RegExp): Promise<void> {
  const is = async (): Promise<boolean> => line.test((await logged(host, 'debug')).join('\n'))
  await until(`the service to log ${String(line)}`, is)
}

describe('a config that changes', () => {
  it('is applied once, from a directory that was not there, at no cost', async () => {
    await startService(host)
    expect(await property(host, 'StatusText')).toBe('watching; the config names nothing to upgrade')
    const cost = await support.costOf(at, async () => {
      await replaceConfig(host, quick(support.image('v2.6.12')))
      await untilService(host, 'idle', 'upgraded')
    })
    support.expectNoCost(cost)
    expect(await support.containers(host)).toEqual(UPGRADED)
    expect(await runs(host)).toHaveLength(1)
    await until('the status text', async () =>
      (await property(host, 'StatusText')).startsWith('matches the config'),
    )
    const metrics = await ask(host, '/metrics')
    expect(metrics).toContain('calico_agent_runs_total{outcome="upgraded"} 1')
    expect(metrics).toContain('calico_agent_bird_sessions{family="4",state="established"} 1')
    expect(metrics).toMatch(/calico_agent_window_used_seconds \d/)
    expect(await ask(host, '/healthz')).toBe('ok\n')
    expect(
      await host.ok(['stat', '--format=%a %U', '/run/calico-agent', '/run/calico-agent/agent.sock']),
    ).toBe('700 root\n600 root\n')
  })

  it('a hundred times quickly ends in one run, of the newest', async () => {
    await startService(host)
    const script = `for i in $(seq 100); do printf '%s' "$2" >"$0.new"; mv "$0.new" "$0"; done
      printf '%s' "$1" >"$0.new"; mv "$0.new" "$0"`
    const texts = [support.image('v2.6.12'), support.image('v3.26.1')].map((tag) =>
      JSON.stringify(quick(tag)),
    )
    await host.ok(['mkdir', '-p', '/etc/calico-agent'])
    await host.ok(['sh', '-c', script, '/etc/calico-agent/agent.yaml', ...texts])
    await untilService(host, 'idle', 'upgraded')
    expect(await runs(host), (await logged(host, 'info')).join('\n')).toHaveLength(1)
    expect(await support.containers(host)).toContain('calico-node v2.6.12 running always')
  })

  it('and is invalid changes nothing and is said; the valid one after it is applied', async () => {
    await startService(host)
    await replaceConfig(host, 'nod: 1')
    await untilService(host, 'config-invalid')
    await support.expectAsBefore(host, oldId)
    expect(await ask(host, '/metrics')).toContain('calico_agent_config_valid 0')
    await until('the status text', async () =>
      (await property(host, 'StatusText')).includes('nod: unknown key'),
    )
    // journald has read the priorities: an error is one, the start of the service is none.
    expect(await logged(host, 'err')).toEqual([expect.stringContaining('nod: unknown key')])
    expect(await logged(host, 'info')).toContainEqual(expect.stringContaining('service started'))
    await replaceConfig(host, quick(support.image('v2.6.12')))
    await untilService(host, 'idle', 'upgraded')
  })

  it('is left to the operator where apply is manual', async () => {
    await startService(host)
    await replaceConfig(host, { ...quick(support.image('v2.6.12')), apply: 'manual' })
    await untilService(host, 'manual')
    await support.expectAsBefore(host, oldId)
  })

  it('and its metrics are in a file for node_exporter, with the runs by hand, also when no service runs', async () => {
    await startService(host)
    await replaceConfig(host, { ...quick(support.image('v2.6.12')), apply: 'manual' })
    await untilService(host, 'manual')
    await support.agent(host, 'prefetch')
    expect(await ask(host, '/metrics')).toContain('calico_agent_runs_total{outcome="prefetched"} 1')
    const byService = await textfile(host)
    expect(byService).toContain('calico_agent_state{state="manual"} 1')
    expect(byService).not.toContain('process_')
    await systemctl(host, 'stop')
    const alone = await textfile(host)
    expect(alone).not.toContain('calico_agent_state')
    for (const text of [byService, alone]) {
      expect(text).toContain('calico_agent_runs_total{outcome="prefetched"} 1')
      expect(text).toContain('calico_agent_runs_total{outcome="upgraded"} 0')
      expect(text).toContain('calico_agent_bird_sessions{family="4",state="established"} 1')
      expect(text).toContain('calico_agent_host_seen 1')
    }
  })
})

describe('a version that fails', () => {
  it('is tried once, also by the next start of the service, and again when told', async () => {
    await startService(host)
    await replaceConfig(host, quick(support.image('exits-at-once')))
    await untilService(host, 'held', 'rolled-back')
    await support.expectAsBefore(host, oldId)
    await systemctl(host, 'restart')
    await untilService(host, 'held')
    expect(await runs(host)).toHaveLength(1)
    await systemctl(host, 'reload')
    await untilService(host, 'held', 'rolled-back')
    expect(await runs(host)).toHaveLength(2)
    await support.expectAsBefore(host, oldId)
    expect(await ask(host, '/metrics')).toContain('calico_agent_failures_total{code="gate-failed"} 2')
  })
})

describe('a service that ends in the middle of a run', () => {
  it('killed, is started again, resumes and goes on', async () => {
    await startService(host)
    const cost = await support.costOf(at, async () => {
      await replaceConfig(host, quick(support.image('v2.6.12')))
      await untilLogs(/"mark":"bird-up"/)
      await systemctl(host, 'kill', '--signal=KILL')
      await until('the restart', async () => Number(await property(host, 'NRestarts')) > 0)
      await untilService(host, 'idle')
    })
    support.expectNoCost(cost)
    expect(await support.containers(host)).toEqual(UPGRADED)
  })

  it('by a power cut, unwinds at boot and then applies the config', async () => {
    await startService(host)
    await replaceConfig(host, { ...quick(support.image('v2.6.12')), settle: 15 })
    await untilLogs(/"mark":"bird-up"/)
    await host.powerCut()
    await host.powerOn()
    await untilService(host, 'idle', 'upgraded')
    expect(await runs(host)).toHaveLength(2)
    expect(await support.containers(host)).toEqual(UPGRADED)
  })

  it('stopped in the window, goes back in its time', async () => {
    await startService(host)
    const cost = await support.costOf(at, async () => {
      await replaceConfig(host, { ...quick(support.image('v2.6.12')), settle: 60 })
      await untilLogs(/"mark":"recovered"/)
      await systemctl(host, 'stop')
    })
    support.expectNoCost(cost)
    expect(await property(host, 'Result')).toBe('success')
    await support.expectAsBefore(host, oldId)
  })

  it('hanging, is ended by the watchdog and started again', async () => {
    await startService(host, '[Service]\nWatchdogSec=20\nRestartSec=1\n')
    const pid = await property(host, 'MainPID')
    // It is fed while it turns: twice its limit changes nothing.
    await new Promise((resolve) => setTimeout(resolve, 40_000))
    expect(await property(host, 'NRestarts')).toBe('0')
    await host.ok(['kill', '-STOP', pid])
    await until('the restart', async () => Number(await property(host, 'NRestarts')) > 0)
    await untilService(host, 'idle')
    expect(await property(host, 'MainPID')).not.toBe(pid)
  })
})

describe('the service and an agent that is run by hand', () => {
  it('do not meet: the one by hand is told who is at work', async () => {
    await startService(host)
    await replaceConfig(host, quick(slowImage))
    await untilLogs(/"event":"step".*pull-image/)
    const byHand = await support.agent(host, 'upgrade', '--node', support.image('v2.6.12'))
    expect({ code: byHand.code, outcome: byHand.report.outcome }).toEqual({ code: 75, outcome: 'deferred' })
    expect(byHand.report.problems[0]?.message).toMatch(/locked by pid \d+, calico-agent daemon \(upgrade\)/)
    await systemctl(host, 'stop')
    await support.expectAsBefore(host, oldId)
  })

  it('do not meet: the service waits and tries later', async () => {
    await startService(host)
    const byHand = await upgradeUntil(host, MOMENTS.pullBegins, [], slowImage)
    await replaceConfig(host, quick(support.image('v2.6.12')))
    await untilService(host, 'retrying', 'deferred')
    await byHand.kill('SIGTERM')
    await byHand.done
    await untilService(host, 'idle', 'upgraded')
    expect(await support.containers(host)).toEqual(UPGRADED)
  })
})
