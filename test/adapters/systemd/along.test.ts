import { expect, it } from 'vitest'
import { alongWith } from '../../../agent/adapters/systemd/along.ts'

const RELATIONS: Record<string, string> = {
  'calico-node.service':
    'RequiredBy=kubelet.service multi-user.target\nBoundBy=down.service\nConsistsOf=exporter.service\nOnSuccess=done.service',
  'kubelet.service': 'ConsistsOf=proxy.service calico-node.service\nOnSuccess=other.service',
}

/** systemctl of a host with these units, of which one is down. */
function systemctl(argv: string[]): Promise<{ stdout: string }> {
  const names = argv.slice(argv.indexOf('--') + 1)
  const shown = names.map((name) =>
    argv.some((word) => word.includes('ActiveState'))
      ? `Id=${name}\nActiveState=${name === 'down.service' ? 'inactive' : 'active'}\n`
      : `Id=${name}\n${RELATIONS[name] ?? ''}\n`,
  )
  return Promise.resolve({ stdout: shown.join('\n') })
}

it('units along are those that are up and depend on one, or on one that does, and what a stop starts', async () => {
  expect(await alongWith('calico-node.service', systemctl)).toEqual([
    { unit: 'done.service', via: 'OnSuccess=done.service', does: 'starts' },
    { unit: 'kubelet.service', via: 'Requires=calico-node.service', does: 'stays' },
    { unit: 'exporter.service', via: 'PartOf=calico-node.service', does: 'stays' },
    { unit: 'proxy.service', via: 'PartOf=kubelet.service', does: 'stays' },
  ])
})
