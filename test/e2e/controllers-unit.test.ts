// kube-controllers that a systemd unit runs: the unit is changed, nothing else of it, and two never run at once.

import { beforeEach, describe, expect, it } from 'vitest'
import type { StatusReport } from '../../agent/core/report/status.ts'
import type { Host } from '../lab/index.ts'
import { quickly } from './background.ts'
import { controllers, mostAtOnce, NAME, overlaps } from './controllers.ts'
import { idOf, type Shape, shapes, startUnit } from './controllers-units.ts'
import * as support from './support.ts'
import { unitFiles } from './units.ts'

const [OLD, NEW] = [controllers('v3.20.0'), controllers('v3.26.1')]
const NODE = 'calico-node v2.6.5 running always'

let at: support.World
let flags: string[]

beforeEach(async () => {
  at = await support.world()
  flags = await quickly(at.host)
})

const upgrade = (...args: string[]) => support.agent(at.host, 'upgrade', ...args, ...flags)

async function stateOf(host: Host, unit: string): Promise<string> {
  return await host.ok(['systemctl', 'show', unit, '--property=ActiveState,NRestarts,NeedDaemonReload'])
}

const HEALTHY = 'NRestarts=0\nActiveState=active\nNeedDaemonReload=no\n'

describe('a unit of the controllers', () => {
  it.each<[string, Shape]>([
    ['named in the unit, stopped by TERM', shapes['named in the unit, stopped by TERM']],
    ['named in the environment file', shapes['named in the environment file']],
    ['with --rm', shapes['with --rm']],
  ])('is upgraded, fails, is left alone and is rolled back: %s', async (_, shape) => {
    const { host } = at
    await startUnit(host, shape, OLD)
    const [since, before, id] = [Date.now(), await unitFiles(host), await idOf(host)]

    const failed = await upgrade('--controllers', controllers('exits-at-once'))
    expect(failed).toMatchObject({ code: 4, report: { outcome: 'rolled-back', changed: false } })
    expect(failed.report.problems.map(({ code }) => code)).toEqual(['controllers-failed'])
    expect(failed.report.controllersDownMs).toBeGreaterThan(0)
    expect(await unitFiles(host)).toEqual(before)
    expect(await support.containers(host)).toEqual([`${NAME} v3.20.0 running no`, NODE])
    expect(await stateOf(host, shape.unit)).toBe(HEALTHY)
    expect(await idOf(host)).not.toBe(id)

    const up = await upgrade('--controllers', NEW)
    expect(up).toMatchObject({ code: 0, report: { outcome: 'upgraded', problems: [], window: null } })
    expect(up.report.diff.map(({ target }) => target)).toEqual([shape.file])
    expect(JSON.stringify(up.report.diff)).not.toContain('hush')
    expect(up.report.controllersDownMs).toBeGreaterThan(0)
    expect(up.report.controllersDownMs).toBeLessThan(25_000)
    const named = (before[shape.file] ?? '').replace(OLD, NEW)
    expect(named).toContain(NEW)
    expect(await unitFiles(host)).toEqual({ ...before, [shape.file]: named })
    expect(await support.containers(host)).toEqual([`${NAME} v3.26.1 running no`, NODE])
    expect(await stateOf(host, shape.unit)).toBe(HEALTHY)

    const now = await idOf(host)
    expect((await upgrade('--controllers', NEW)).report.outcome).toBe('unchanged')
    expect(await idOf(host)).toBe(now)

    const back = await support.agent(host, 'rollback', ...flags)
    expect(back).toMatchObject({ code: 0, report: { outcome: 'rolled-back', changed: true } })
    expect(await unitFiles(host)).toEqual(before)
    expect(await support.containers(host)).toEqual([`${NAME} v3.20.0 running no`, NODE])
    expect(await stateOf(host, shape.unit)).toBe(HEALTHY)
    expect([await mostAtOnce(host, since), await overlaps(host)]).toEqual([1, ''])
  })

  it('is upgraded behind a node, which stays where they fail', async () => {
    const { host } = at
    const shape = shapes['named in the unit, stopped by TERM']
    await startUnit(host, shape, OLD)
    const before = await unitFiles(host)
    const asked = ['--node', support.image('v2.6.12'), '--controllers', controllers('exits-at-once')]
    const cost = await support.costOf(at, () => upgrade(...asked))
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome }).toEqual({ code: 4, outcome: 'partial' })
    expect(report.window?.usedMs).toBeGreaterThan(0)
    expect(report.components.controllers).toHaveProperty('rolledBack', true)
    expect(await unitFiles(host)).toEqual(before)
    expect(await support.containers(host)).toContain(`${NAME} v3.20.0 running no`)
    expect(await support.containers(host)).toContain('calico-node v2.6.12 running always')
    expect(await overlaps(host)).toBe('')
  })

  it('is brought up to date by a release, and its owner is told of', async () => {
    const { host } = at
    const shape = shapes['named in the environment file']
    await startUnit(host, shape, OLD)
    await support.configure(host, { release: 'v3.26.1', registry: support.lab.registry.address, settle: 1 })
    const { code, report } = await support.agent(host, 'upgrade', '--only', 'controllers')
    expect({ code, outcome: report.outcome, problems: report.problems }).toEqual({
      code: 0,
      outcome: 'upgraded',
      problems: [],
    })
    expect(await host.readFile(shape.file)).toContain(NEW)
    const status = JSON.parse(await host.ok(['agent', 'status', '--json'])) as StatusReport
    expect(status.controllers).toMatchObject({
      version: '3.26.1',
      owner: { kind: 'systemd', unit: shape.unit },
    })
  })

  it('is left alone by a release where it cannot be changed, with a word', async () => {
    const { host } = at
    await startUnit(host, shapes['named twice'], OLD)
    await support.configure(host, { release: 'v3.26.1', registry: support.lab.registry.address })
    const plan = await support.agent(host, 'plan', '--only', 'controllers')
    expect(plan.report).toMatchObject({
      outcome: 'unchanged',
      problems: [{ code: 'systemd-owned', severity: 'warning' }],
    })
    const asked = await upgrade('--controllers', NEW)
    expect(asked).toMatchObject({
      code: 3,
      report: { problems: [{ code: 'systemd-owned', severity: 'error' }] },
    })
    expect(await support.containers(host)).toContain(`${NAME} v3.20.0 running no`)
  })

  it('whose file config management has changed already is only restarted', async () => {
    const { host } = at
    const shape = shapes['named in the unit, stopped by TERM']
    await startUnit(host, shape, OLD)
    await host.writeFile(shape.file, (await host.readFile(shape.file)).replace(OLD, NEW))
    const before = await unitFiles(host)
    const up = await upgrade('--controllers', NEW)
    expect(up).toMatchObject({ code: 0, report: { outcome: 'upgraded', diff: [] } })
    expect(up.report.problems.map(({ code }) => code)).toEqual(['unit-changed-on-disk'])
    expect(await unitFiles(host)).toEqual(before)
    expect(await support.containers(host)).toContain(`${NAME} v3.26.1 running no`)
    expect(await stateOf(host, shape.unit)).toBe(HEALTHY)
  })

  it('of the old name goes from kube-policy-controller to kube-controllers', async () => {
    const { host } = at
    const shape = shapes['the old name']
    const old = controllers('v0.7.0').replace('kube-controllers', 'kube-policy-controller')
    await startUnit(host, shape, old)
    const { name, unit } = shape
    await support.configure(host, { controllers: { container: name, manager: 'systemd', unit }, settle: 1 })
    const up = await support.agent(host, 'upgrade', '--controllers', controllers('v1.0.5'))
    expect(up).toMatchObject({ code: 0, report: { outcome: 'upgraded', problems: [] } })
    expect(await support.containers(host)).toEqual([NODE, `${name} v1.0.5 running no`])
    expect((await support.agent(host, 'rollback')).report.outcome).toBe('rolled-back')
    expect(await support.containers(host)).toEqual([NODE, `${name} v0.7.0 running no`])
    expect(await host.readFile(shape.file)).toBe(shape.files(old)[shape.file])
  })
})
