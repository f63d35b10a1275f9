// What else a restart of calico-node's unit would do, and starts that take their time: other units stay, and no pull
// stands in the window.

import { describe, expect, it } from 'vitest'
import { type Host, until } from '../lab/index.ts'
import * as support from './support.ts'
import { startedBy, UNIT } from './units.ts'
import {
  begunBy,
  HANGS_ONCE,
  hanging,
  KUBELET,
  notifying,
  PLUGIN,
  pulling,
  runsOf,
  startDependents,
  startSilentRegistry,
} from './units-along.ts'

const running = (tag: string) => [`calico-node ${tag} running no`]

async function stateOf(host: Host): Promise<string> {
  return (await host.ok(['systemctl', 'show', '--property=ActiveState,SubState', '--value', UNIT])).trim()
}

describe('a unit', () => {
  it('that others require, and that pulls before its start, is restarted alone and at once', async () => {
    const at = await support.world(startedBy(pulling))
    const { host } = at
    await support.configure(host, { settle: 1 })
    for (const tag of ['v2.6.12', 'exits-at-once'])
      expect(await support.agent(host, 'prefetch', '--node', support.image(tag))).toMatchObject({ code: 0 })
    await startDependents(host)
    const before = await runsOf(host)
    await startSilentRegistry(host)

    const { report } = await support.agent(host, 'plan', '--node', support.image('v2.6.12'))
    const told = report.problems.map(({ code, message }) => `${code}: ${message}`)
    expect(told).toEqual(
      expect.arrayContaining([
        expect.stringContaining(`units-along: ${KUBELET} is not restarted (Requires=${UNIT})`),
        expect.stringContaining(`units-along: calico-lab-bound.service is not restarted (BindsTo=${UNIT})`),
        expect.stringContaining(
          `units-along: calico-lab-second.service is not restarted (PartOf=${KUBELET})`,
        ),
        expect.stringContaining(
          `${KUBELET} may install other CNI plugins at its next start: ExecStartPre=/bin/cp /opt/older-plugin ${PLUGIN}`,
        ),
      ]),
    )

    const failed = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('exits-at-once')),
    )
    support.expectNoCost(failed)
    expect(failed.result).toMatchObject({ code: 4, report: { outcome: 'rolled-back', changed: false } })
    expect(await support.containers(host)).toEqual(running('v2.6.5'))
    expect(await runsOf(host)).toEqual(before)

    const up = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('v2.6.12')),
    )
    support.expectNoCost(up)
    expect(up.result).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    expect(up.result.report.window?.birdDownMs).toBeLessThan(20_000)
    expect(await support.containers(host)).toEqual(running('v2.6.12'))
    expect(await runsOf(host)).toEqual(before)
    expect(await host.readFile(PLUGIN)).toBe('newer')
    // the next boot pulls what it runs
    expect(await host.readFile(pulling.file)).toContain(support.image('v2.6.12'))

    // what is seen here would be seen of a plain restart
    await host.ok(['systemctl', 'restart', '--no-block', UNIT])
    const pulls = async () => (await stateOf(host)) === 'activating\nstart-pre'
    await until('the unit to pull', pulls)
    await new Promise((done) => setTimeout(done, 3_000))
    expect(await pulls()).toBe(true)
    expect(await runsOf(host)).not.toEqual(before)
  })

  it('whose start hangs goes back while the window has time', async () => {
    const at = await support.world(begunBy(hanging))
    const { host } = at
    await support.configure(host, { settle: 1 })
    await host.writeFile(HANGS_ONCE, '')
    const failed = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('v2.6.12')),
    )
    support.expectNoCost(failed)
    expect(failed.result).toMatchObject({ code: 4, report: { outcome: 'rolled-back', changed: false } })
    expect(failed.result.report.problems.map(({ message }) => message).join()).toContain(
      'did not start calico-node',
    )
    expect(await support.containers(host)).toEqual(running('v2.6.5'))
    expect(await stateOf(host)).toBe('active\nrunning')
  })

  it('that waits for a notification is refused, with the reason; allowed, it is upgraded', async () => {
    const at = await support.world(begunBy(notifying))
    const { host } = at
    await support.configure(host, { settle: 1 })
    expect(await stateOf(host)).toBe('activating\nstart')
    const refused = await support.agent(host, 'upgrade', '--node', support.image('v2.6.12'))
    support.expectRefused(refused, 'unit-activating')
    expect(refused.report.problems.map(({ message }) => message).join()).toContain(
      'Type=notify waits for a notification (READY=1), which docker run does not send',
    )

    const allowed = ['--node', support.image('v2.6.12'), '--allow', 'unit-activating']
    const up = await support.costOf(at, () => support.agent(host, 'upgrade', ...allowed))
    support.expectNoCost(up)
    expect(up.result).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    expect(await support.containers(host)).toEqual(running('v2.6.12'))
    expect(await stateOf(host)).toBe('active\nrunning')
  })
})
