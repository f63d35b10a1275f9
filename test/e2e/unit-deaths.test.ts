// The agent, or its host, dies in a run that changes a unit: old or new and whole afterwards, at no cost.

import { beforeAll, describe, expect, it } from 'vitest'
import { installFaultyAgent } from '../faults/build.ts'
import { faultyAgent, flawsOf, passedPoints, prepared } from '../faults/trial.ts'
import { containerFlaws, type Work } from '../faults/whole-host.ts'
import { asTheUnitWas } from '../faults/whole-unit.ts'
import type { Host } from '../lab/index.ts'
import * as support from './support.ts'
import { shapes, startedBy } from './units.ts'

const node: NonNullable<Work['node']> = { reset: startedBy(shapes.C), policy: 'no' }
/** systemd finishes its restart beside the resume; these are the ms after it was asked for. */
const inRestart = (nth: number, ...after: number[]): string[] =>
  after.map((ms) => `before systemd.restart#${nth}=kill+${ms}`)

beforeAll(async () => {
  await installFaultyAgent(support.lab)
})

describe('a unit whose agent dies', () => {
  it('after each change of an upgrade, and in the restart', async () => {
    const { at, points } = await pointsOf(other)
    expect(points.length).toBeGreaterThan(9)
    const faults = [...points.map((point) => `${point}=kill`), ...inRestart(1, 0, 30, 100, 300, 600, 1_000)]
    for (const fault of faults) await dieAndResume(at, fault, await other())
  }, 1_200_000)

  // up to the gate's verdict the host is as in an upgrade that goes well
  it('after each change on the way back from an upgrade, and in both restarts', async () => {
    const target = support.image('exits-at-once')
    const { at, points } = await pointsOf(() => Promise.resolve(target))
    const back = points.slice(points.indexOf('after systemd.restart#1'))
    expect(back.length).toBeGreaterThan(7)
    const faults = [
      ...back.map((point) => `${point}=kill`),
      ...inRestart(1, 100),
      ...inRestart(2, 0, 100, 600),
    ]
    for (const fault of faults) await dieAndResume(at, fault, target)
  }, 1_200_000)

  it.each([
    ['upgrade', 'v2.6.12', 'after systemd.restart#1'],
    ['upgrade', 'v2.6.12', 'after unitFiles.write#2'],
    ['upgrade', 'exits-at-once', 'after unitFiles.write#2'],
    ['rollback', 'v2.6.12', 'after systemd.restart#1'],
    ['rollback', 'v2.6.12', 'after unitFiles.remove#1'],
  ] as const)('in %s (%s), %s, and whose host loses its power then', async (command, tag, point) => {
    const work = { command, image: support.image(tag), node }
    expect(await flawsOf(support.lab.workerMesh(), { death: { point }, powerCut: true, work })).toEqual([])
  })

  it('in the middle of a rollback', async () => {
    const work = { command: 'rollback', image: support.image('v2.6.12'), node } as const
    const death = { point: 'before systemd.restart#1', laterMs: 200 }
    expect(await flawsOf(support.lab.workerMesh(), { death, powerCut: false, work })).toEqual([])
  })
})

/** The hosts, and the points of such an upgrade that each leave them, or the journal, in a state of its own. */
async function pointsOf(target: () => Promise<string>): Promise<{ at: support.World; points: string[] }> {
  const mesh = support.lab.workerMesh()
  const host = await prepared(mesh, { command: 'upgrade', image: support.image('v2.6.12'), node })
  // the first run pulls: its records are not those of the ones that follow
  let passed: string[] = []
  for (let run = 0; run < 2; run++) {
    passed = await passedPoints(host, { command: 'upgrade', image: await target(), node })
    await mesh.untilSettled()
  }
  return { at: { mesh, host, peer: mesh.hosts[1] as Host }, points: telling(passed) }
}

/**
 * After each change, and after the last of the records between two: those before it find the same host.
 * test/engine/unit.test.ts has a death before and after every record, scripts/soak has them all on real hosts.
 */
function telling(passed: string[]): string[] {
  const isRecord = (point = ''): boolean => point.includes('journal.append')
  const after = passed.filter((point) => point.startsWith('after '))
  return after.filter((point, i) => !isRecord(point) || !isRecord(after[i + 1]))
}

/** The image that does not run. */
async function other(): Promise<string> {
  const [host] = support.lab.workerMesh().hosts as [Host]
  const running = (await support.containers(host)).some((one) => one.startsWith('calico-node v2.6.5 running'))
  return support.image(running ? 'v2.6.12' : 'v2.6.5')
}

async function dieAndResume(at: support.World, fault: string, target: string): Promise<void> {
  const { host } = at
  const work: Work = { command: 'upgrade', image: target, node }
  const [[before = ''], fileFlaws] = [await support.containers(host), await asTheUnitWas(host)]
  const cost = await support.costOf(at, async () => {
    const died = await faultyAgent(host, work, { AGENT_FAULT: fault })
    // one that is faster than so many ms has come to its end
    const codes = fault.includes('=kill+') ? [137, 0, 4] : [137]
    expect(codes, fault).toContain(died.code)
    return await support.agent(host, 'resume')
  })
  const { outcome } = cost.result.report
  const upgraded = `calico-node ${target.split(':').at(-1) ?? ''} running no`
  // one that had come to its end before it died leaves nothing to do
  const whole = { upgraded: [upgraded], unchanged: [upgraded, before] }[outcome as string] ?? [before]
  const [runs = '', ...others] = await support.containers(host)
  expect({ fault, outcome, runs, others }).toEqual({
    fault,
    outcome,
    runs: whole.find((one) => one === runs),
    others: [],
  })
  const flaws = await containerFlaws(host, { outcome: 'judged above', changed: false }, work)
  expect({ fault, flaws: [...flaws, ...(await fileFlaws(outcome))] }).toEqual({ fault, flaws: [] })
  support.expectNoCost(cost)
  expect({ fault, again: (await support.agent(host, 'resume')).report.outcome }).toEqual({
    fault,
    again: 'unchanged',
  })
}
