// An operator lays hands on the containers in the middle of a run.

import { beforeAll, describe, expect, it } from 'vitest'
import { installFaultyAgent } from '../faults/build.ts'
import { actMeanwhile } from '../faults/meanwhile.ts'
import { containers, image, lab } from './support.ts'

const work = { command: 'upgrade', image: image('v2.6.12') } as const

beforeAll(async () => {
  await installFaultyAgent(lab)
})

describe("an operator's hands on the containers", () => {
  it.each<[string, string, string, { outcome: string; code: RegExp }]>([
    [
      // earlier, it may have recovered by the swap, and is as good as before
      'restarts the old one right before its turn',
      'after docker.createContainer#1',
      'docker kill calico-node; docker start calico-node',
      // as far as its BIRD has come by then
      { outcome: 'refused', code: /^bird-(down|recovering)$/ },
    ],
    [
      'renames the old one after the pull',
      'before docker.createContainer#1',
      'docker rename calico-node calico-node-old',
      { outcome: 'refused', code: /^changed-meanwhile$/ },
    ],
  ])('%s', async (_, point, script, { outcome, code }) => {
    const { report } = await actMeanwhile(lab.workerMesh(), work, { point, script, liveRestore: false })
    const problems = [{ code: expect.stringMatching(code) as string }]
    expect(report).toMatchObject({ outcome, changed: false, problems })
  })

  it('removes the image in the pull', async () => {
    const script = `docker rmi --force ${work.image}`
    const point = 'before docker.createContainer#1'
    const { report, flaws } = await actMeanwhile(lab.workerMesh(), work, {
      point,
      script,
      liveRestore: false,
    })
    expect(report).toMatchObject({ outcome: 'refused', problems: [{ code: 'image-missing' }] })
    expect(flaws).toEqual([])
  })

  it('removes the new container in its trial: the old one is put back', async () => {
    const script = 'docker rm --force $(docker ps -q --filter name=calico-node-next)'
    const point = 'after docker.startContainer#1'
    const { report, flaws } = await actMeanwhile(lab.workerMesh(), work, {
      point,
      script,
      liveRestore: false,
    })
    expect(report).toMatchObject({
      outcome: 'rolled-back',
      problems: [
        { code: 'gate-failed', message: expect.stringContaining('removed by somebody else') as string },
      ],
    })
    expect(flaws).toEqual([])
  })

  it('removes the old container in the trial: the new one is kept, and that is said', async () => {
    const mesh = lab.workerMesh()
    const { report, flaws } = await actMeanwhile(mesh, work, {
      point: 'after docker.startContainer#1',
      script: 'docker rm --force calico-node',
      liveRestore: false,
    })
    expect(report).toMatchObject({
      outcome: 'upgraded',
      problems: [{ code: 'parked-gone', severity: 'warning' }],
    })
    expect(flaws).toEqual([])
    expect(await containers(mesh.hosts[0] as never)).toEqual(['calico-node v2.6.12 running always'])
  })

  it('starts the old container in the trial: two never stay, and that is said', async () => {
    const { report, flaws } = await actMeanwhile(lab.workerMesh(), work, {
      point: 'after docker.startContainer#1',
      script: 'sleep 2; docker start calico-node',
      liveRestore: false,
    })
    expect(report).toMatchObject({ outcome: 'rolled-back', problems: [{ code: 'changed-meanwhile' }] })
    expect(flaws.filter((flaw) => !/ lost$| withdrawn$/.test(flaw))).toEqual([])
  })
})
