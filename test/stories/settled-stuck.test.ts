import { beforeEach, describe, expect, it } from 'vitest'
import type { Plan } from '../../agent/core/plan/plan.ts'
import type { Outcome } from '../../agent/core/report/report.ts'
import type { Wanted } from '../../agent/core/wanted.ts'
import type { App } from '../../agent/stories/app.ts'
import { gc } from '../../agent/stories/gc/gc.ts'
import { heldTarget, targetOf } from '../../agent/stories/held-target.ts'
import { upgrade } from '../../agent/stories/upgrade.ts'
import { wanted as anyHost } from '../core/observed.ts'
import { FakeHost } from '../engine/fake-host.ts'
import { plan, problem } from '../journal/sample.ts'
import { appOn } from './app-on.ts'

const of = (image: string) => ({ ...anyHost, node: { ...anyHost.node, image } })
/** What an operator kept, or put back, by hand. */
const asItIs = of('calico/node:v2.6.5')
const other = of('calico/node:v2.6.12')
/** `--only cni`, where nothing is left to change. */
const pluginsOf = ({ node, ...rest }: Wanted): Wanted => ({
  ...rest,
  node: { ...node, image: null },
})

let app: App
beforeEach(async () => {
  app = appOn(await FakeHost.create())
  await ended('upgrade', 'stuck')
})

async function ended(command: Plan['command'], outcome: Outcome): Promise<void> {
  const journal = await app.runs.begin('0.1.0', plan(`${command}-0`, command), [])
  await journal.append({ type: 'finished', outcome, ...(outcome === 'stuck' && { problem }) })
  await journal.close()
}

const isStuck = async (): Promise<boolean> => (await app.runs.figures()).isStuck

describe('a stuck run', () => {
  it('is settled by an upgrade that finds nothing left to change', async () => {
    expect(await isStuck()).toBe(true)
    expect(await upgrade(app, asItIs)).toMatchObject({ outcome: 'unchanged' })
    expect(await isStuck()).toBe(false)
    expect(heldTarget(await app.runs.history(), targetOf(other))).toBeNull()
    await gc(app, asItIs)
    // it did end so
    expect(await app.runs.figures()).toMatchObject({ runs: { stuck: 1 }, failures: { 'gate-failed': 1 } })
    const before = await app.runs.records('upgrade-0')
    expect(await upgrade(app, asItIs)).toMatchObject({ outcome: 'unchanged' })
    expect(await app.runs.records('upgrade-0')).toEqual(before)
  })

  it('is settled by nothing less', async () => {
    await ended('prefetch', 'prefetched')
    // the stuck run was about the node
    expect(await upgrade(app, pluginsOf(asItIs))).toMatchObject({ changed: false })
    expect(await upgrade(app, of('calico/node:no-such'))).toMatchObject({ changed: false })
    expect(await isStuck()).toBe(true)
    expect(heldTarget(await app.runs.history(), targetOf(asItIs))).toMatchObject({ stuck: true })
    await expect(gc(app, asItIs)).rejects.toMatchObject({ code: 'unsettled-run' })
  })
})
