// Hosts whose calico/node a systemd unit runs: the unit is changed, and nothing else of it.

import { describe, expect, it } from 'vitest'
import type { Host } from '../lab/index.ts'
import * as support from './support.ts'
import { type Shape, shapes, startedBy, unitFiles } from './units.ts'

/** What runs, and what systemd says of its unit. */
async function standing(host: Host, unit: string): Promise<Record<string, string>> {
  const { Config } = await host.docker.getContainer('calico-node').inspect()
  const properties = 'ActiveState,NRestarts,NeedDaemonReload,Result'
  const shown = await host.ok(['systemctl', 'show', unit, `--property=${properties}`])
  const state = shown
    .trim()
    .split('\n')
    .map((line) => line.split('=') as [string, string])
  return { image: Config.Image, ...Object.fromEntries(state) }
}

const healthy = (tag: string) => ({
  image: support.image(tag),
  ActiveState: 'active',
  NRestarts: '0',
  NeedDaemonReload: 'no',
  Result: 'success',
})

describe('a unit', () => {
  it.each(Object.entries(shapes))(
    'is upgraded, fails and is rolled back at no cost: %s',
    async (_name, shape: Shape) => {
      const at = await support.world(startedBy(shape))
      const { host } = at
      await support.configure(host, { settle: 1 })
      const before = await unitFiles(host)

      const failed = await support.costOf(at, () =>
        support.agent(host, 'upgrade', '--node', support.image('exits-at-once')),
      )
      support.expectNoCost(failed)
      expect(failed.result).toMatchObject({ code: 4, report: { outcome: 'rolled-back', changed: false } })
      expect(await unitFiles(host)).toEqual(before)
      expect(await standing(host, shape.unit)).toEqual(healthy('v2.6.5'))

      const up = await support.costOf(at, () =>
        support.agent(host, 'upgrade', '--node', support.image('v2.6.12')),
      )
      support.expectNoCost(up)
      expect(up.result).toMatchObject({ code: 0, report: { outcome: 'upgraded', problems: [] } })
      expect(up.result.report.window?.usedMs).toBeLessThan(90_000)
      expect(up.result.report.diff.map(({ target }) => target)).toEqual([shape.file])
      expect(await standing(host, shape.unit)).toEqual(healthy('v2.6.12'))
      const after = await unitFiles(host)
      const named = (before[shape.file] ?? after[shape.file] ?? '').replace(
        support.image('v2.6.5'),
        support.image('v2.6.12'),
      )
      expect(named).toContain(support.image('v2.6.12'))
      expect(after).toEqual({ ...before, [shape.file]: named })

      const back = await support.costOf(at, () => support.agent(host, 'rollback'))
      support.expectNoCost(back)
      expect(back.result).toMatchObject({ code: 0, report: { outcome: 'rolled-back', changed: true } })
      expect(await unitFiles(host)).toMatchObject(before)
      expect(await standing(host, shape.unit)).toEqual(healthy('v2.6.5'))
    },
  )
})

describe('a unit whose file config management has changed already', () => {
  it('is only restarted, and that its file is new is said', async () => {
    const at = await support.world(startedBy(shapes.C))
    const { host } = at
    await support.configure(host, { settle: 1 })
    const file = await host.readFile(shapes.C.file)
    await host.writeFile(shapes.C.file, file.replace(support.image('v2.6.5'), support.image('v2.6.12')))
    const before = await unitFiles(host)

    const up = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('v2.6.12')),
    )
    support.expectNoCost(up)
    expect(up.result).toMatchObject({ code: 0, report: { outcome: 'upgraded', diff: [] } })
    expect(up.result.report.problems.map(({ code }) => code)).toEqual(['unit-changed-on-disk'])
    expect(await unitFiles(host)).toEqual(before)
    expect(await standing(host, shapes.C.unit)).toEqual(healthy('v2.6.12'))
  })
})
