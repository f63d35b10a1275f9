// Runs that somebody stops: a second agent, an operator's Ctrl-C, the service manager's TERM.

import { beforeEach, describe, expect, it } from 'vitest'
import { quickly } from './background.ts'
import * as support from './support.ts'
import { MOMENTS, slowImage, UPGRADED, upgradeUntil } from './under-way.ts'

let at: support.World
let oldId: string
let flags: string[]

beforeEach(async () => {
  at = await support.world()
  oldId = await support.nodeId(at.host)
  flags = await quickly(at.host)
})

describe('two agents at once', () => {
  it('do not meet: the second defers at once and names the first', async () => {
    const { host } = at
    const cost = await support.costOf(at, async () => {
      const first = await upgradeUntil(host, MOMENTS.pullBegins, flags, slowImage)
      // It answers while the first one still pulls: it did not wait for it.
      const second = await support.agent(host, 'upgrade', '--node', support.image('v2.6.12'))
      const status = await host.ok(['agent', 'status', '--json'])
      await first.kill('SIGTERM')
      return { first: await first.done, second, status: JSON.parse(status) as object }
    })
    support.expectNoCost(cost)
    const { first, second, status } = cost.result
    expect(status).toMatchObject({ unfinishedRun: { atWork: { command: 'upgrade' } } })
    expect({ code: second.code, outcome: second.report.outcome }).toEqual({ code: 75, outcome: 'deferred' })
    expect(second.report.problems[0]?.message).toMatch(/locked by pid \d+, calico-agent upgrade/)
    expect(first.code).toBe(3)
    await support.expectAsBefore(host, oldId)
  })
})

describe('a run that is told to stop', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('during its pull, by %s, has changed nothing', async (signal) => {
    const { host } = at
    const cost = await support.costOf(at, async () => {
      const run = await upgradeUntil(host, MOMENTS.pulling, flags, slowImage)
      await run.kill(signal)
      return await run.done
    })
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome, changed: report.changed }).toEqual({
      code: 3,
      outcome: 'refused',
      changed: false,
    })
    expect(report.problems).toMatchObject([
      { code: 'cancelled', message: `the run was stopped by ${signal}` },
    ])
    await support.expectAsBefore(host, oldId)
    expect(await support.agent(host, 'resume')).toMatchObject({ code: 0, report: { outcome: 'unchanged' } })
  })

  it.each([
    ['SIGINT', 'before BIRD is up', MOMENTS.windowOpen],
    ['SIGTERM', 'while the new node settles', MOMENTS.recovered],
  ] as const)('in its gate, by %s, %s, goes back', async (signal, _when, moment) => {
    const { host } = at
    const cost = await support.costOf(at, async () => {
      const run = await upgradeUntil(host, moment, ['--window', '30'])
      await run.kill(signal)
      return await run.done
    })
    support.expectNoCost(cost)
    const { code, report } = cost.result
    expect({ code, outcome: report.outcome, changed: report.changed }).toEqual({
      code: 4,
      outcome: 'rolled-back',
      changed: false,
    })
    expect(report.problems).toMatchObject([
      { code: 'cancelled', message: `the run was stopped by ${signal}` },
    ])
    await support.expectAsBefore(host, oldId)
  })

  it('says so to the operator', async () => {
    const { host } = at
    const run = await host.start(['agent', 'upgrade', '--node', slowImage, ...flags])
    await run.untilSays(/pull .*\n/)
    await run.kill('SIGINT')
    const { code, stdout } = await run.done
    expect(code).toBe(3)
    expect(stdout).toContain('refused: nothing was changed')
    expect(stdout).toContain('the run was stopped by SIGINT')
    await support.expectAsBefore(host, oldId)
  })

  it('twice, ends at once, and leaves the rest to resume', async () => {
    const { host } = at
    const cost = await support.costOf(at, async () => {
      const run = await host.start(['agent', 'upgrade', '--node', support.image('v2.6.12'), ...flags])
      await run.untilSays('window open')
      await run.kill('SIGINT')
      await run.untilSays('rolling back').catch(() => undefined)
      const begin = performance.now()
      await run.kill('SIGINT')
      const stopped = await run.done
      return {
        stopped,
        took: performance.now() - begin,
        resumed: await support.agent(host, 'resume', ...flags),
      }
    })
    support.expectNoCost(cost)
    const { stopped, took, resumed } = cost.result
    expect(took).toBeLessThan(30_000)
    expect(stopped.code).toBe(130)
    expect(stopped.stderr).toContain('"calico-agent resume" finishes or undoes it')
    expect(resumed.report.outcome).toBe('rolled-back')
    await support.expectAsBefore(host, oldId)
  })
})

describe('a run that was cut off', () => {
  async function cutOffInPull(): Promise<string> {
    const run = await upgradeUntil(at.host, MOMENTS.pulling, flags, slowImage)
    await run.kill('SIGKILL')
    const { stderr } = await run.done
    return /"run":"([^"]+)"/.exec(stderr)?.[1] ?? ''
  }

  it('is shown by status, which settles nothing', async () => {
    const { host } = at
    const run = await cutOffInPull()
    const status = async () => JSON.parse(await host.ok(['agent', 'status', '--json'])) as object
    const unfinished = { unfinishedRun: { run, command: 'upgrade', atWork: null }, lastRun: null }
    expect(await status()).toMatchObject(unfinished)
    expect(await status()).toMatchObject(unfinished)
    expect(await host.ok(['agent', 'status'])).toMatch(
      new RegExp(`unfinished +${run}.*to finish or undo it: calico-agent resume`),
    )
    await support.expectAsBefore(host, oldId)
  })

  it('is settled by the next upgrade, which then goes on', async () => {
    const { host } = at
    await cutOffInPull()
    const cost = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('v2.6.12'), ...flags),
    )
    support.expectNoCost(cost)
    expect(cost.result).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    expect(await support.containers(host)).toEqual(UPGRADED)
    const { unfinishedRun } = JSON.parse(await host.ok(['agent', 'status', '--json'])) as Record<
      string,
      unknown
    >
    expect(unfinishedRun).toBeNull()
  })
})
