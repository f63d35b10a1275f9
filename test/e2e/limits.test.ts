// What turns read-only in the window, and what came from another host.

import { cp, rm } from 'node:fs/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { BIN_DIR, installOldPlugins, pluginsOf } from '../lab/index.ts'
import { quickly, startAgent } from './background.ts'
import * as support from './support.ts'

const STATE = '/var/lib/calico-agent'

let at: support.World
beforeEach(async () => {
  at = await support.world()
})

describe('a directory of plugins that turns read-only in the window', () => {
  it('is no reason for a stuck run: nothing in it was replaced, and the node goes back', async () => {
    const { host } = at
    await installOldPlugins(host)
    const [before, id] = [await pluginsOf(host), await support.nodeId(host)]
    await host.ok(['mount', '--bind', BIN_DIR, BIN_DIR])
    try {
      const flags = ['--node', support.image('v2.6.12'), '--cni', support.lab.registry.cniImage('v2.0.6')]
      const cost = await support.costOf(at, async () => {
        const run = await startAgent(host, 'upgrade', ...flags, ...(await quickly(host)))
        await run.untilLogs(/"event":"window-open"/)
        await host.ok(['mount', '--options', 'remount,ro,bind', BIN_DIR])
        return await run.done
      })
      support.expectNoCost(cost)
      const { code, report } = cost.result
      expect({ code, outcome: report.outcome }).toEqual({ code: 4, outcome: 'rolled-back' })
      const errors = report.problems.filter(({ severity }) => severity === 'error')
      expect(errors.map((problem) => problem.code)).toEqual(['cannot-keep-binary'])
      expect(report.problems.at(-1)).toMatchObject({ code: 'leftover', severity: 'warning' })
    } finally {
      await host.ok(['umount', BIN_DIR])
    }
    await support.expectAsBefore(host, id)
    expect(await pluginsOf(host)).toMatchObject(before)
  })
})

describe('a state directory that was copied to another host', () => {
  it('moves nothing there, and its run is settled where it began', async () => {
    const { host, peer } = at
    const id = await support.nodeId(peer)
    const flags = ['--node', support.image('v2.6.12'), ...(await quickly(host))]
    const run = await startAgent(host, 'upgrade', ...flags)
    await run.untilLogs(/"event":"window-open"/)
    await run.kill('SIGKILL')
    await run.done
    await cp(host.root + STATE, peer.root + STATE, { recursive: true })
    try {
      for (const argv of [['resume'], ['upgrade', '--node', support.image('v2.6.12')], ['rollback']]) {
        const { code, report } = await support.agent(peer, ...argv)
        expect({ code, codes: report.problems.map((problem) => problem.code) }, argv.join(' ')).toEqual({
          code: 3,
          codes: ['journal-copied'],
        })
      }
      await support.expectAsBefore(peer, id)
    } finally {
      await rm(peer.root + STATE, { recursive: true })
    }
    const { report } = await support.agent(host, 'resume')
    expect(['upgraded', 'rolled-back']).toContain(report.outcome)
    expect(report.problems.map((problem) => problem.code)).not.toContain('journal-copied')
  })
})
