// Docker Engine goes away in the middle of a run; scripts/soak has it go before each call.

import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { installFaultyAgent } from '../faults/build.ts'
import { actMeanwhile, ENGINE_BLOWS } from '../faults/meanwhile.ts'
import { faultyAgent, prepared, resume } from '../faults/trial.ts'
import { containerFlaws } from '../faults/whole-host.ts'
import { image, lab } from './support.ts'

const work = { command: 'upgrade', image: image('v2.6.12') } as const

beforeAll(async () => {
  await installFaultyAgent(lab)
})

describe('a Docker Engine that goes away', () => {
  it.each<[keyof typeof ENGINE_BLOWS, string, string]>([
    ['stopped', 'before docker.killContainer#1', 'rolled-back'],
    ['killed', 'before docker.startContainer#1', 'rolled-back'],
    ['frozen', 'before docker.startContainer#1', 'upgraded'],
    ['killed', 'before docker.setRestartPolicy#3', 'upgraded'],
  ])('(%s) %s, with live-restore, costs nothing', async (blow, point, outcome) => {
    const script = ENGINE_BLOWS[blow]
    const { report, flaws } = await actMeanwhile(lab.workerMesh(), work, { point, script, liveRestore: true })
    expect({ ...report, flaws }).toMatchObject({ outcome, flaws: [] })
  })

  it('(frozen) with the agent dead in its start, never ends with two', async () => {
    const mesh = lab.workerMesh()
    const host = await prepared(mesh, work)
    const [freeze, thaw] = ['STOP', 'CONT'].map(
      (signal) => `systemctl kill --kill-who=main --signal=${signal} docker`,
    )
    const later = `sleep 1; kill -KILL $PPID; sleep 5; ${thaw}`
    const script = `#!/bin/sh\n${freeze}\nsetsid sh -c "${later}" >/dev/null 2>&1 &\n`
    await host.writeFile('/tmp/freeze', script, 0o755)
    const { code } = await faultyAgent(host, work, {
      AGENT_FAULT: 'before docker.startContainer#1=/tmp/freeze',
    })
    expect(code).toBe(137)
    const report = await resume(host)
    await mesh.untilSettled()
    // past what the agent waits for, and what Docker could still have to do
    await sleep(5_000)
    expect(await containerFlaws(host, report, work)).toEqual([])
  })

  // Without it the Engine itself stops every container: that costs the routes, and says nothing about the agent.
  it.each<[keyof typeof ENGINE_BLOWS, string]>([
    ['killed', 'before docker.startContainer#1'],
    ['stopped', 'after docker.startContainer#1'],
  ])('(%s) %s, without live-restore, ends old or new, whole', async (blow, point) => {
    const script = ENGINE_BLOWS[blow]
    const { report, flaws } = await actMeanwhile(lab.workerMesh(), work, {
      point,
      script,
      liveRestore: false,
    })
    expect({ report, settled: ['upgraded', 'rolled-back'].includes(report.outcome) }).toMatchObject({
      settled: true,
    })
    expect(flaws.filter((flaw) => !/ lost$| withdrawn$/.test(flaw))).toEqual([])
  })
})
