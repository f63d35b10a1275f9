import { shapes, startedBy } from '../../test/e2e/units.ts'
import type { Work } from '../../test/faults/whole-host.ts'
import type { Lab } from '../../test/lab/index.ts'
import type { PointedWork } from './campaigns.ts'

type Kind = Pick<PointedWork, 'repeats' | 'harm' | 'call'>
export type NamedWork = Omit<PointedWork, 'points'>

const byDocker: Kind = {
  repeats: 3,
  harm: 'after docker.killContainer#1',
  call: { point: 'before docker.killContainer#1', ms: 300 },
}
const byUnit: Kind = {
  repeats: 1,
  harm: 'after systemd.restart#1',
  call: { point: 'before systemd.restart#1', ms: 1_500 },
}
const withPlugins: Kind = { ...byDocker, repeats: 1, harm: 'after cni.putInPlace#1' }

/** All that the agent may die in the middle of. */
export function works({ registry }: Lab): [NamedWork, ...NamedWork[]] {
  const [image, bad, cni] = [
    registry.image('v2.6.12'),
    registry.image('exits-at-once'),
    registry.cniImage('v2.0.6'),
  ]
  const node: Work['node'] = { reset: startedBy(shapes.C), policy: 'no' }
  return [
    { name: 'an upgrade', work: { command: 'upgrade', image }, ...byDocker },
    { name: 'an upgrade that goes back', work: { command: 'upgrade', image: bad }, ...byDocker },
    { name: 'a rollback', work: { command: 'rollback', image }, ...byDocker },
    { name: "a unit's upgrade", work: { command: 'upgrade', image, node }, ...byUnit },
    { name: "a unit's upgrade that goes back", work: { command: 'upgrade', image: bad, node }, ...byUnit },
    { name: "a unit's rollback", work: { command: 'rollback', image, node }, ...byUnit },
    { name: 'an upgrade with CNI plugins', work: { command: 'upgrade', image, cni }, ...withPlugins },
  ]
}
