// What earlier runs left, once retention no longer keeps it.

import { describe, expect, it } from 'vitest'
import type { GcReport } from '../../agent/core/report/gc.ts'
import type { Host } from '../lab/index.ts'
import { runs } from './service.ts'
import * as support from './support.ts'
import { MOMENTS, slowImage, upgradeUntil } from './under-way.ts'

const quick = { window: 60, settle: 2 }

async function gc(host: Host, ...args: string[]): Promise<GcReport> {
  return JSON.parse(await host.ok(['agent', 'gc', ...args, '--json'])) as GcReport
}

describe('calico-agent gc', () => {
  it('removes what a lower retention no longer keeps, and leaves the way back', async () => {
    const at = await support.world()
    const { host } = at
    await support.configure(host, { ...quick, retention: { images: 3 } })
    const first = await support.agent(host, 'upgrade', '--node', support.image('v2.6.12'))
    await support.agent(host, 'upgrade', '--node', support.image('v3.26.1'), '--allow', 'datastore-migration')
    expect(await gc(host)).toMatchObject({ changed: false, problems: [] })

    const pull = await upgradeUntil(host, MOMENTS.pulling, [], slowImage)
    expect((await host.run(['agent', 'gc'])).code).toBe(75)
    await pull.kill('SIGTERM')
    await pull.done

    await support.configure(host, { ...quick, retention: { images: 1, runs: 1 } })
    const old = {
      changed: true,
      containers: [],
      images: [support.image('v2.6.5')],
      journals: [first.report.run],
    }
    expect(await gc(host, '--check')).toMatchObject(old)
    const cost = await support.costOf(at, () => gc(host))
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ ...old, problems: [] })
    expect((await host.run(['docker', 'image', 'inspect', support.image('v2.6.5')])).code).not.toBe(0)
    expect(await runs(host)).not.toContain(`${first.report.run ?? ''}.jsonl`)
    expect(await host.ok(['agent', 'gc'])).toBe('nothing to remove\n')
    expect((await support.agent(host, 'rollback')).report.outcome).toBe('rolled-back')
    expect(await support.containers(host)).toEqual([
      'calico-node v2.6.12 running always',
      'calico-node-parked-RUN v3.26.1 exited no',
    ])
  })
})
