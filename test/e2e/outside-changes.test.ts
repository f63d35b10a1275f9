// An operator lays hands on the containers in the middle of a run.

import { beforeAll, describe, expect, it } from 'vitest'
import { installFaultyAgent } from '../faults/build.ts'
import { actMeanwhile } from '../faults/meanwhile.ts'
import { faultyAgent, prepared, resume } from '../faults/trial.ts'
import type { Host } from '../lab/index.ts'
import { agent, containers, image, lab, parseReport } from './support.ts'
import { shapes, startedBy, UNIT } from './units.ts'

const work = { command: 'upgrade', image: image('v2.6.12') } as const

beforeAll(async () => {
  await installFaultyAgent(lab)
})

describe("an operator's hands on the containers", () => {
  it.each<[string, string, string, { outcome: string; code: RegExp }]>([
    [
      'restarts the old one right before its turn',
      'after docker.createContainer#1',
      // by the swap a BIRD that starts at once may have recovered, and is as good as before
      "docker kill calico-node; setsid sh -c 'sleep 15; docker start calico-node' >/dev/null 2>&1 &",
      { outcome: 'refused', code: /^(bird-down|changed-meanwhile)$/ },
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
        { code: 'gate-failed', message: expect.stringContaining('removed by another process') as string },
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

/** The script of somebody who makes calico/node anew with the old one's settings, 1 s into the window. */
function made(name: string, before: string): string {
  const env = `docker inspect -f '{{range .Config.Env}}-e {{.}} {{end}}' calico-node`
  const mounts = ['run', 'log', 'lib'].map((dir) => `-v /var/${dir}/calico:/var/${dir}/calico`).join(' ')
  const run = `docker run -d --name ${name} --net=host --privileged --restart=always $env ${mounts}`
  const theirs = `sleep 1; ${before}; ${run} -v /lib/modules:/lib/modules ${image('v2.6.5')}`
  return `env="$(${env})"; export env; setsid sh -c '${theirs}' >/dev/null 2>&1 &`
}

describe('somebody who makes calico/node anew in the window', () => {
  const point = 'after docker.startContainer#1'

  it.each([
    ['as a playbook does', 'docker rm -f calico-node'],
    ['as docker-compose does', 'docker rename calico-node 0c_calico-node; docker rm -f 0c_calico-node'],
  ])('%s: theirs stays, and one runs', async (_, before) => {
    const script = made('calico-node', before)
    const { report, flaws } = await actMeanwhile(lab.workerMesh(), work, {
      point,
      script,
      liveRestore: false,
      settle: 8,
    })
    expect(report).toMatchObject({ outcome: 'rolled-back' })
    const codes = report.problems.map(({ code }) => code)
    expect(codes).toEqual(expect.arrayContaining(['changed-meanwhile', 'left-to-another']))
    expect(flaws.filter((flaw) => !/ lost$| withdrawn$/.test(flaw))).toEqual([])
  })

  it('under another name: theirs stays, and the next upgrade leaves it alone', async () => {
    const mesh = lab.workerMesh()
    const [host] = mesh.hosts as [Host]
    const script = made('calico_node_1', 'true')
    const { report } = await actMeanwhile(mesh, work, { point, script, liveRestore: false, settle: 8 })
    expect(report).toMatchObject({ outcome: 'rolled-back' })
    const alone = ['calico-node v2.6.5 exited no', 'calico_node_1 v2.6.5 running always']
    expect(await containers(host)).toEqual(alone)
    const doctor = await host.run(['agent', 'doctor'])
    expect(doctor).toMatchObject({ code: 3, stdout: expect.stringContaining('second-node') as string })
    const again = await agent(host, 'upgrade', '--node', work.image)
    expect(again.code).toBe(3)
    expect(again.report.problems).toContainEqual(
      expect.objectContaining({ code: 'second-node', severity: 'error' }),
    )
    expect(await containers(host)).toEqual(alone)
  })
})

describe('somebody who makes calico/node anew beside a unit', () => {
  it('keeps theirs, and has the unit stopped', async () => {
    const mesh = lab.workerMesh()
    const [host] = mesh.hosts as [Host]
    const node = { reset: startedBy(shapes.C), policy: 'no' }
    const script = made('calico_node_1', 'sleep 1')
    const meanwhile = { point: 'before systemd.restart#1', script, liveRestore: false, settle: 8 }
    const { report } = await actMeanwhile(mesh, { ...work, node }, meanwhile)
    expect(report).toMatchObject({ outcome: 'rolled-back' })
    expect(report.problems.map(({ code }) => code)).toContain('left-to-another')
    expect(await containers(host)).toEqual(['calico_node_1 v2.6.5 running always'])
    expect((await host.run(['systemctl', 'is-active', UNIT])).code).not.toBe(0)
  })
})

describe('a /run that is full in the commit', () => {
  it('leaves the old one its policy and the run open, and a boot and its resume end it', async () => {
    const mesh = lab.workerMesh()
    const host = await prepared(mesh, work)
    const fill = 'mount -o remount,size=2m /run; dd if=/dev/zero of=/run/hog bs=4k'
    await host.writeFile('/tmp/fill', `#!/bin/sh\n${fill}\ntrue\n`, 0o755)
    const fault = { AGENT_FAULT: 'before docker.setRestartPolicy#3=/tmp/fill' }
    const { code, stdout, stderr } = await faultyAgent(host, work, fault)
    const { outcome, problems } = parseReport(stdout, stderr)
    expect({ code, outcome, last: problems.at(-1)?.code }).toEqual({
      ...{ code: 5, outcome: 'stuck', last: 'no-space' },
    })
    expect(await containers(host)).toEqual([
      'calico-node v2.6.5 exited always',
      'calico-node-next-RUN v2.6.12 running no',
    ])
    await host.powerCut()
    await host.powerOn()
    expect(await resume(host)).toMatchObject({ outcome: 'rolled-back' })
    await mesh.untilSettled()
    expect(await containers(host)).toEqual(['calico-node v2.6.5 running always'])
  })
})
