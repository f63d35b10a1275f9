// What is on record of earlier runs, on a host that had some.

import { describe, expect, it } from 'vitest'
import type { HistoryReport } from '../../agent/core/report/history.ts'
import type { Host } from '../lab/index.ts'
import { quickly } from './background.ts'
import { agent, image, world } from './support.ts'

async function history(host: Host, ...args: string[]): Promise<HistoryReport> {
  return JSON.parse(await host.ok(['agent', 'history', ...args, '--json'])) as HistoryReport
}

describe('calico-agent history', () => {
  it('lists an upgrade and a rollback, tells one of them, and draws it', async () => {
    const { host } = await world()
    expect(await host.ok(['agent', 'history'])).toBe('no run on record\n')
    const flags = await quickly(host)
    const { report: upgraded } = await agent(host, 'upgrade', '--node', image('v2.6.12'), ...flags)
    await agent(host, 'rollback', ...flags)

    const { runs } = await history(host)
    expect(runs).toMatchObject([
      { command: 'rollback', outcome: 'rolled-back' },
      { run: upgraded.run, command: 'upgrade', outcome: 'upgraded', components: upgraded.components },
    ])
    const name = upgraded.run ?? ''
    const { timeline } = await history(host, name)
    expect(timeline).toMatchObject({ window: upgraded.window, outcome: 'upgraded' })
    const began = timeline?.steps.map(({ beganMs }) => beganMs ?? Number.NaN) ?? []
    expect(began).toHaveLength(upgraded.steps.length)
    expect(began).toEqual(began.toSorted((one, other) => one - other))
    expect(await host.ok(['agent', 'history', name])).toMatch(/\d s {2}recovered$/m)

    const drawn = `/tmp/${name}.html`
    expect(await host.ok(['agent', 'history', name, '--html', drawn])).toBe(
      `wrote the timeline of ${name} to ${drawn}\n`,
    )
    const page = await host.readFile(drawn)
    const hostname = (await host.ok(['hostname'])).trim()
    expect(page).toContain(`<title>${hostname}: upgrade, upgraded (${name})</title>`)
    expect(page).toMatch(/recovered at [\d.]+ s, settled at [\d.]+ s, commit at [\d.]+ s\./)
    expect((await host.ok(['stat', '--format=%a', drawn])).trim()).toBe('600')

    const unknown = await host.run(['agent', 'history', 'nope'])
    expect(unknown.code).toBe(2)
    expect(unknown.stdout).toContain(`runs on record: ${runs.map(({ run }) => run).join(', ')}`)
  })
})
