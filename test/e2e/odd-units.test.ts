// Units whose file is not the operator's own, and units in a state in which systemd would not start them again.

import { describe, expect, it } from 'vitest'
import { type Host, until } from '../lab/index.ts'
import {
  kept,
  oneshot,
  podmanUnit,
  scripted,
  staticUnit,
  transientUnit,
  unrestarted,
  waited,
} from './odd-units.ts'
import { expectRefusal, type Refusal, snapshot } from './refusal.ts'
import * as support from './support.ts'
import { type Shape, startedBy, UNIT, unitFiles } from './units.ts'

const running = (tag: string) => [`calico-node ${tag} running no`]

async function isActive(host: Host, unit: string): Promise<string> {
  return (await host.run(['systemctl', 'is-active', unit])).stdout.trim()
}

/** systemd sees a little later that its process has ended. */
async function untilFailed(host: Host): Promise<void> {
  const hasFailed = async () => (await isActive(host, UNIT)) === 'failed'
  await until('the unit to fail', hasFailed)
}

describe('a unit', () => {
  it.each(Object.entries(kept))('%s is upgraded by a drop-in, and back', async (_, shape: Shape) => {
    const at = await support.world(startedBy(shape))
    const { host } = at
    await support.configure(host, { settle: 1 })
    const before = await unitFiles(host)
    expect(Object.keys(before)).not.toContain(shape.file)

    const failed = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('exits-at-once')),
    )
    support.expectNoCost(failed)
    expect(failed.result).toMatchObject({ code: 4, report: { outcome: 'rolled-back', changed: false } })
    expect(await unitFiles(host)).toEqual(before)

    const up = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('v2.6.12')),
    )
    support.expectNoCost(up)
    expect(up.result).toMatchObject({ code: 0, report: { outcome: 'upgraded', problems: [] } })
    expect(up.result.report.diff.map(({ target }) => target)).toEqual([shape.file])
    const { [shape.file]: written, ...others } = await unitFiles(host)
    expect(others).toEqual(before)
    expect(written).toContain(`  ${support.image('v2.6.12')}\n`)
    expect(await support.containers(host)).toEqual(running('v2.6.12'))
    expect(await isActive(host, shape.unit)).toBe('active')

    const back = await support.costOf(at, () => support.agent(host, 'rollback'))
    support.expectNoCost(back)
    expect(back.result).toMatchObject({ code: 0, report: { outcome: 'rolled-back', changed: true } })
    expect(await unitFiles(host)).toEqual(before)
    expect(await support.containers(host)).toEqual(running('v2.6.5'))
  })

  it('of a package runs the new image after a boot as well', async () => {
    const at = await support.world(startedBy(kept['of a package']))
    const { host } = at
    await support.configure(host, { settle: 1 })
    expect(await support.agent(host, 'upgrade', '--node', support.image('v2.6.12'))).toMatchObject({
      code: 0,
    })
    await host.powerCut()
    await host.powerOn()
    await at.mesh.untilSettled()
    expect(await support.containers(host)).toEqual(running('v2.6.12'))
  })

  it('that is static is upgraded, and back', async () => {
    const at = await support.world(startedBy(staticUnit))
    const { host } = at
    await support.configure(host, { settle: 1 })
    const before = await unitFiles(host)
    const up = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('v2.6.12')),
    )
    support.expectNoCost(up)
    expect(up.result).toMatchObject({ code: 0, report: { outcome: 'upgraded', problems: [] } })
    const text = before[staticUnit.file]?.replace(support.image('v2.6.5'), support.image('v2.6.12'))
    expect(await unitFiles(host)).toEqual({ ...before, [staticUnit.file]: text })
    const back = await support.costOf(at, () => support.agent(host, 'rollback'))
    support.expectNoCost(back)
    expect(await unitFiles(host)).toEqual(before)
    expect(await support.containers(host)).toEqual(running('v2.6.5'))
  })
})

describe('a unit that failed', () => {
  it('and left its container running is upgraded, and is active again', async () => {
    const at = await support.world(startedBy(unrestarted))
    const { host } = at
    await support.configure(host, { settle: 1 })
    await host.ok(['pkill', '-KILL', '--full', '^/usr/bin/docker run'])
    await untilFailed(host)
    expect(await support.containers(host)).toEqual(running('v2.6.5'))
    const before = await unitFiles(host)

    const up = await support.costOf(at, () =>
      support.agent(host, 'upgrade', '--node', support.image('v2.6.12')),
    )
    support.expectNoCost(up)
    expect(up.result).toMatchObject({ code: 0, report: { outcome: 'upgraded' } })
    const text = before[unrestarted.file]?.replace(support.image('v2.6.5'), support.image('v2.6.12'))
    expect(await unitFiles(host)).toEqual({ ...before, [unrestarted.file]: text })
    expect(await support.containers(host)).toEqual(running('v2.6.12'))
    expect(await isActive(host, UNIT)).toBe('active')
  })

  it.each([
    [
      'a stopped container',
      ['docker', 'kill', 'calico-node'],
      'node-not-running',
      'it is exited',
      'docker start',
    ],
    ['none', ['docker', 'rm', '-f', 'calico-node'], 'container-missing', 'no such container', 'docker ps -a'],
  ])('and left %s is refused', async (_, argv, problem, says, fix) => {
    const at = await support.world(startedBy(unrestarted))
    await at.host.ok(argv)
    await untilFailed(at.host)
    await expectUntouched(at.host, { code: 3, problem, says, fix })
  })
})

describe('a unit is refused', () => {
  it.each([
    [
      'that is transient',
      transientUnit,
      'it is transient: it has no unit file',
      'write a unit file for calico-node',
    ],
    [
      'that runs podman',
      podmanUnit,
      'it runs podman, and the agent supports only Docker',
      'change the image in the unit by hand',
    ],
  ])('%s', async (_, options, says, fix) => {
    const { host } = await support.world(options)
    await expectUntouched(host, { code: 3, problem: 'systemd-owned', says, fix })
  })

  it.each([
    ['that makes the container before, and waits for it', waited, 'ExecStartPre=/usr/bin/docker run -d'],
    [
      'that is over, and makes it again at the next boot',
      oneshot,
      'it is not active, but starts calico-node',
    ],
    ['whose script makes the container and waits', scripted, '/opt/bin/calicoctl.sh: '],
  ])('%s', async (_, shape, says) => {
    const { host } = await support.world(startedBy(shape))
    await expectUntouched(host, { code: 3, problem: 'systemd-owned', says, fix: '' })
  })

  it.each([
    ['masked', []],
    ['masked until the next boot', ['--runtime']],
  ])('that is %s', async (_, flags) => {
    const { host } = await support.world(startedBy(kept['of a package']))
    await host.ok(['systemctl', 'mask', ...flags, UNIT])
    const fix = `systemctl unmask ${UNIT}`
    await expectUntouched(host, { code: 3, problem: 'systemd-owned', says: 'it is masked', fix })
    expect(await isActive(host, UNIT)).toBe('active')
  })
})

async function expectUntouched(host: Host, refusal: Refusal): Promise<void> {
  const before = [await snapshot(host), await unitFiles(host)]
  expectRefusal(await support.agent(host, 'upgrade', '--node', support.image('v2.6.12')), refusal)
  expect([await snapshot(host), await unitFiles(host)]).toEqual(before)
}
