import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { enabledUnits } from '../../../agent/adapters/systemd/enabled-units.ts'

it('services are enabled by the links of what starts them, instances of templates as well', async () => {
  const root = await mkdtemp(join(tmpdir(), 'enabled-units-'))
  const links = [
    ['multi-user.target.wants', 'a.service'],
    ['graphical.target.wants', 'calico@node.service'],
    ['kubelet.service.requires', 'a.service'],
    ['timers.target.wants', 'b.timer'],
    ['c.service.d', 'c.service'],
  ] as const
  for (const [directory, name] of links) {
    await mkdir(join(root, directory), { recursive: true })
    await symlink(`/etc/systemd/system/${name}`, join(root, directory, name))
  }
  expect((await enabledUnits([root, join(root, 'none')])).sort()).toEqual([
    'a.service',
    'calico@node.service',
  ])
  await rm(root, { recursive: true })
})
