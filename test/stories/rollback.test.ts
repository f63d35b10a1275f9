import { expect, it, vi } from 'vitest'
import type { Emit } from '../../agent/core/events.ts'
import { observeHost } from '../../agent/observe/observe.ts'
import { rollback, rollbackPlan } from '../../agent/stories/rollback/rollback.ts'
import { upgrade } from '../../agent/stories/upgrade.ts'
import { wanted as nothing } from '../core/observed.ts'
import { ControllersHost } from '../engine/controllers-host.ts'
import { FakeHost, labelled } from '../engine/fake-host.ts'
import { CNI } from '../engine/hosted-flaws.ts'
import { HOSTED, HostedHost } from '../engine/hosted-host.ts'
import { BIRD_CFG, MESH } from '../engine/mesh-config.ts'
import { FakeFleet } from '../fakes/fleet.ts'
import { appOn } from './app-on.ts'

const wanted = {
  ...nothing,
  node: { ...nothing.node, image: 'calico/node:v3.26.1' },
  controllers: { ...nothing.controllers, image: 'calico/kube-controllers:v3.26.1' },
  settleMs: 1_000,
}

it('a rollback never brings another image than the one that ran, whatever its tag means now', async () => {
  const host = await ControllersHost.create()
  const app = appOn(host)
  const node = { ...wanted, controllers: { ...wanted.controllers, image: null } }
  expect(await upgrade(app, node)).toMatchObject({ outcome: 'upgraded' })
  const parked = await host.docker.inspectContainer('calico-node-parked-run-1')
  await host.docker.removeContainer(parked?.Id ?? '')
  const old = 'calico/node:v3.20.0'
  host.docker.images.remove(old, () => false)
  host.docker.images.publish(old, labelled('v3.20.1'))
  host.docker.images.pull(old, () => undefined)
  const report = await rollback(app, node, undefined)
  expect(report).toMatchObject({ outcome: 'refused', changed: false })
  expect(report.problems.map(({ code }) => code)).toContain('image-changed')
  expect((await host.docker.inspectContainer('calico-node'))?.State.Running).toBe(true)
})

it('a rollback can be asked what it would put back, and then changes nothing', async () => {
  const host = await FakeHost.create()
  const app = appOn(host)
  const node = { ...nothing, node: { ...nothing.node, image: 'calico/node:v2.6.12' }, settleMs: 1_000 }
  await upgrade(app, node)
  const locked = vi.spyOn(app, 'lock')
  const before = await host.docker.inspectContainer('calico-node')
  const { outcome, changed, run, components, steps } = await rollbackPlan(app, node, undefined)
  expect({ outcome, changed, run, to: components.node?.to }).toEqual({
    outcome: 'planned',
    changed: true,
    run: null,
    to: 'calico/node:v2.6.5',
  })
  expect(steps.map(({ kind, status }) => `${kind} ${status}`)).toContain('swap-container pending')
  expect(await host.docker.inspectContainer('calico-node')).toEqual(before)
  expect((await app.runs.history()).map(({ plan }) => plan.command)).toEqual(['upgrade'])
  expect(locked).not.toHaveBeenCalled()

  await rollback(app, node, undefined)
  const [, undone] = await app.runs.history()
  expect(await rollbackPlan(app, node, undone?.plan.run)).toMatchObject({
    outcome: 'unchanged',
    changed: false,
  })
})

it('a rollback of node and controllers looks at the host once', async () => {
  const host = await ControllersHost.create()
  const app = appOn(host)
  expect(await upgrade(app, wanted)).toMatchObject({ outcome: 'upgraded' })
  const looks = vi.spyOn(host.docker, 'info')
  let looksBefore = 0
  const emit: Emit = ({ type }) => {
    if (type === 'run') looksBefore = looks.mock.calls.length
  }
  const { outcome, changed, components } = await rollback({ ...app, emit }, wanted, undefined)
  expect({ outcome, changed, components }).toEqual({
    outcome: 'rolled-back',
    changed: true,
    components: {
      node: { from: 'calico/node:v3.26.1', to: 'calico/node:v3.20.0' },
      controllers: { from: 'calico/kube-controllers:v3.26.1', to: 'calico/kube-controllers:v3.20.0' },
    },
  })
  expect(looksBefore).toBe(1)
})

it('a rollback keeps those neighbors from dialling that the parked BIRD dials', async () => {
  const host = await FakeHost.create()
  const app = appOn(host)
  const node = { ...nothing, node: { ...nothing.node, image: 'calico/node:v2.6.12' }, settleMs: 1_000 }
  // from v3.4 on, one end of each session waits
  const configOf = (id: string): string =>
    id === host.oldId ? MESH : MESH.replaceAll('as 64512;', 'as 64512; passive on;')
  host.docker.readContainerFile = (id, path) => Promise.resolve(path === BIRD_CFG ? configOf(id) : undefined)
  await upgrade(app, node)
  await rollback(app, node, undefined)
  const [back] = await app.runs.history()
  const swap = back?.plan.steps.find((step) => step.kind === 'swap-container')
  const dialling = swap?.args.gate.daemons.flatMap((daemon) => daemon.dialling ?? []) ?? []
  expect(dialling.map(({ address }) => address)).toEqual(['192.0.2.2', '192.0.2.3'])
})

it('a rollback leaves a CNI config alone that cannot be written, and says so before it moves the node', async () => {
  const host = await FakeHost.create()
  const app = appOn(host)
  const node = { ...nothing.node, image: 'calico/node:v2.6.12' }
  const asked = { ...nothing, node, cniConfig: host.cni.wanted, settleMs: 1_000 }
  expect(await upgrade(app, asked)).toMatchObject({ outcome: 'upgraded' })
  const code = 'cni-config-dir-unusable'
  host.cni.configs.directoryProblem = () =>
    Promise.resolve({ code, severity: 'error', message: 'read-only', fix: 'mount it' })
  const { outcome, components, problems } = await rollback(app, asked, undefined)
  expect(outcome).toBe('rolled-back')
  expect(Object.keys(components)).toEqual(['node'])
  expect(problems).toContainEqual(expect.objectContaining({ code, severity: 'warning' }))
})

it('a rollback of a DaemonSet’s pod pulls what this host does not have, and nothing else', async () => {
  const host = await HostedHost.create()
  const app = appOn(host)
  expect(await upgrade(app, HOSTED)).toMatchObject({ outcome: 'upgraded' })
  host.docker.images.publish(CNI)
  await host.clock.sleep(400_000)
  expect(await rollback(app, HOSTED, undefined)).toMatchObject({ outcome: 'rolled-back', changed: true })
  const [{ plan } = { plan: null }] = await app.runs.history()
  const pulls = plan?.steps.flatMap((step) => (step.kind === 'pull-image' ? [step.args] : []))
  expect(pulls).toEqual([{ image: CNI }])
})

it('a rollback of a DaemonSet’s pod says that the template goes back for the whole cluster', async () => {
  const host = await HostedHost.create()
  const app = appOn(host)
  host.docker.images.publish(CNI)
  await upgrade(app, HOSTED)
  await host.clock.sleep(400_000)
  const { problems } = await rollback(app, HOSTED, undefined)
  expect(problems.map(({ code }) => code)).toContain('template-back')
})

it('an upgrade with nothing to do restores the update strategy that is owed once every host is done', async () => {
  const host = await HostedHost.create({ other: 'to come' })
  const app = appOn(host)
  expect(await upgrade(app, HOSTED)).toMatchObject({ outcome: 'upgraded' })
  const again = async () => {
    await host.clock.sleep(400_000)
    const { outcome, problems } = await upgrade(app, HOSTED)
    return [outcome, problems.map(({ code }) => code), host.cluster.set.spec.updateStrategy.type]
  }
  expect(await again()).toEqual(['unchanged', [], 'OnDelete'])
  const node = await observeHost(HOSTED, host.ports(), app.signal)
  expect(node.node?.owner).toMatchObject({
    why: expect.stringContaining(
      'OnDelete until the rollout is done: before, it was RollingUpdate',
    ) as string,
  })
  const other = host.cluster.pods.find(({ spec }) => spec.nodeName === 'host-2')
  await host.cluster.remove({ kind: 'Pod', name: other?.metadata.name ?? '' }, other?.metadata.uid ?? '')
  host.cluster.addOther('host-2', host.cluster.set.spec.template.spec.containers[0]?.image ?? '')
  expect(await again()).toEqual(['unchanged', [], 'RollingUpdate'])
})

it('a rollback asks the engine of the fleet for nothing before it has put back the old', async () => {
  const order: string[] = []
  const host = await FakeHost.create()
  const fleet = new FakeFleet()
  const app = appOn(host, { fleet })
  await upgrade(app, nothing)
  const giveBack = fleet.giveBack.bind(fleet)
  fleet.giveBack = (end) => {
    order.push('engine')
    return giveBack(end)
  }
  app.emit = ({ type }) => {
    if (type === 'run') order.push('run')
  }
  expect(await rollback(app, nothing, undefined)).toMatchObject({ outcome: 'rolled-back' })
  expect(order).toEqual(['run', 'engine'])
})
