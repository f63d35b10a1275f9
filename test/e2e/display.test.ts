// A run whose terminal is stopped in the window, as Ctrl-S or an ssh that hangs does it.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import type { Host } from '../lab/index.ts'
import * as support from './support.ts'

const script = join(import.meta.dirname, '../executable/unread-terminal.py')

let at: support.World
let oldId: string
beforeEach(async () => {
  at = await support.world()
  oldId = await support.nodeId(at.host)
  await at.host.writeFile('/tmp/unread-terminal.py', await readFile(script, 'utf8'), 0o600)
})

/** Starts an upgrade on a terminal that is stopped when the window opens, and not read from then on. */
async function upgradeUnread(host: Host, tag: string) {
  const upgrade = ['agent', 'upgrade', '--node', support.image(tag), '--window', '30']
  const run = await host.start(['python3', '/tmp/unread-terminal.py', 'window ', ...upgrade])
  let said = ''
  run.stdout.on('data', (chunk: string) => (said += chunk))
  await run.untilSays(/stopped \d+\n/)
  const pid = /stopped (\d+)/.exec(said)?.[1] ?? ''
  return { ...run, terminate: () => host.ok(['kill', '-TERM', pid]) }
}

const rolledBack = async (host: Host): Promise<void> => {
  const journal = 'tail -1 "$(ls /var/lib/calico-agent/runs/*.jsonl | tail -1)"'
  await expect
    .poll(() => host.ok(['sh', '-c', journal]), { timeout: 60_000, interval: 250 })
    .toMatch(/"outcome":"rolled-back"/)
}

it('goes back in its window, and shows so when the terminal goes on', async () => {
  const { host } = at
  const cost = await support.costOf(at, async () => {
    const run = await upgradeUnread(host, 'no-bird')
    await rolledBack(host)
    await support.expectAsBefore(host, oldId)
    run.stdin.write('go on\n')
    return await run.done
  })
  support.expectNoCost(cost)
  expect(cost.result.code).toBe(4)
  expect(cost.result.stdout).toMatch(/BIRD is not up/)
})

it('is stopped by TERM, then and after it ended', async () => {
  const { host } = at
  const cost = await support.costOf(at, async () => {
    const run = await upgradeUnread(host, 'late-bird')
    await run.terminate()
    await rolledBack(host)
    // of the process nothing is left but its report, and the next agent may go on
    expect((await host.run(['agent', 'gc', '--check', '--json'])).code).toBe(0)
    await run.terminate()
    run.stdin.end()
    return await run.done
  })
  support.expectNoCost(cost)
  expect(cost.result.code).not.toBe(0)
  expect(await support.containers(host)).toEqual(['calico-node v2.6.5 running always'])
})
