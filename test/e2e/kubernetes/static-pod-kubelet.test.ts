// kube-controllers as a static pod of a real kubelet, without an API server.

import { expect, it } from 'vitest'
import { type Host, KUBELET_UNIT } from '../../lab/index.ts'
import { controllers, mostAtOnce, overlaps } from '../controllers.ts'
import { MANIFEST, manifest, podImages, runStaticPod } from '../static-pods.ts'
import { agent, configure, lab, world } from '../support.ts'

const [OLD, NEW] = [controllers('v3.20.0'), controllers('v3.26.1')]

it('the controllers are swapped by their manifest, and put back, and two never run at once', async () => {
  const { host } = await world()
  await configure(host, { window: 60, settle: 2, kubelet: { unit: KUBELET_UNIT } })
  await lab.kubernetes().startStandalone(host)
  const since = Date.now()
  await runStaticPod(host, OLD)

  const upgrade = await agent(host, 'upgrade', '--controllers', NEW)
  expect(upgrade).toMatchObject({ code: 0, report: { outcome: 'upgraded', problems: [] } })
  await expectWhole(host, NEW)
  const failed = await agent(host, 'upgrade', '--controllers', controllers('exits-at-once'))
  expect(failed).toMatchObject({ code: 4, report: { outcome: 'rolled-back' } })
  await expectWhole(host, NEW)
  const back = await agent(host, 'rollback')
  expect(back).toMatchObject({ code: 0, report: { outcome: 'rolled-back', changed: true } })
  await expectWhole(host, OLD)

  expect({ most: await mostAtOnce(host, since), overlaps: await overlaps(host) }).toEqual({
    most: 1,
    overlaps: '',
  })
})

async function expectWhole(host: Host, target: string): Promise<void> {
  expect(await podImages(host)).toEqual([target])
  expect(await host.readFile(MANIFEST)).toBe(manifest(target))
}
