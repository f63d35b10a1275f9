import { expect, it } from 'vitest'
import { rollback } from '../../agent/stories/rollback/rollback.ts'
import { status } from '../../agent/stories/status.ts'
import { upgrade } from '../../agent/stories/upgrade.ts'
import { DeploymentHost, NEW, OLD } from '../engine/deployment-host.ts'
import { awayError } from '../fakes/kubernetes.ts'
import { appOn } from './app-on.ts'

async function upgraded() {
  const host = new DeploymentHost()
  const app = appOn(host)
  const { wanted } = await host.look()
  expect(await upgrade(app, wanted)).toMatchObject({ outcome: 'upgraded', changed: true })
  return { host, app, wanted }
}

it('a Deployment is upgraded once, and the next run finds nothing to do', async () => {
  const { app, wanted, host } = await upgraded()
  expect(await upgrade(app, wanted)).toMatchObject({ outcome: 'unchanged', changed: false, problems: [] })
  const other = appOn(host)
  expect(await upgrade(other, wanted)).toMatchObject({ outcome: 'unchanged', changed: false })
})

it('a status shows it, from a host that does not run it', async () => {
  const { app, wanted } = await upgraded()
  const { controllers, deployment } = await status(app, wanted)
  expect(controllers).toBeNull()
  expect(deployment).toMatchObject({
    ...{ namespace: 'kube-system', image: NEW, version: '3.26.1', strategy: 'Recreate', available: true },
    pods: [{ node: 'host-2' }],
  })
})

it('a rollback puts the image back, and keeps Recreate', async () => {
  const { app, wanted, host } = await upgraded()
  expect(await rollback(app, wanted, undefined)).toMatchObject({
    ...{ outcome: 'rolled-back', changed: true, problems: [] },
    components: { controllers: { from: NEW, to: OLD } },
  })
  expect(host.cluster.spec).toMatchObject({ image: OLD, strategy: { type: 'Recreate' } })
  expect(host.cluster.violations).toEqual([])
})

it('a rollback leaves a Deployment alone that somebody else has changed since', async () => {
  const { app, wanted, host } = await upgraded()
  host.cluster.edit({ image: 'calico/kube-controllers:theirs' })
  const report = await rollback(app, wanted, undefined)
  expect(report).toMatchObject({ outcome: 'unchanged', problems: [{ code: 'template-changed' }] })
  expect(host.cluster.spec.image).toBe('calico/kube-controllers:theirs')
})

it('a rollback of nothing else is refused while the API server is away', async () => {
  const { app, wanted, host } = await upgraded()
  host.cluster.away = awayError()
  const { outcome, problems } = await rollback(app, wanted, undefined)
  expect([outcome, problems.map(({ code }) => code)]).toEqual(['refused', ['kubernetes-unreachable']])
})
