import { describe, expect, it } from 'vitest'
import { EXEC_KEYS } from '../../agent/core/unit/commands.ts'
import type { UnitState } from '../../agent/core/unit/state.ts'
import { findOwner } from '../../agent/observe/owner.ts'
import { container, unit as unitOf, wanted } from '../core/observed.ts'
import { FakeKubelet } from '../fakes/cni-config.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { FakeManifests } from '../fakes/manifests.ts'
import { FakeSystemd, FakeUnitFiles } from '../fakes/systemd.ts'

const IMAGE = 'quay.io/calico/node:v2.6.5'
const RUN = `/usr/bin/docker run --name=calico-node ${IMAGE}`
const CALICOCTL = `/opt/bin/calicoctl node --detach=false --node-image=${IMAGE}`

interface Unit extends Partial<UnitState> {
  lines: string[]
}

/** A host with these units and these other files. */
function hostWith(units: Record<string, Unit>, files: Record<string, string> = {}) {
  const unitFiles = new FakeUnitFiles()
  for (const [path, text] of Object.entries(files)) unitFiles.files.set(path, text)
  const states = Object.entries(units).map(([name, { lines, ...state }]) => {
    const fragment = `/etc/systemd/system/${name}`
    unitFiles.files.set(fragment, `[Service]\n${lines.join('\n')}\n`)
    const commands = lines.filter((line) => EXEC_KEYS.some((key) => line.startsWith(`${key}=`)))
    return { ...unitOf(state).state, fragment, commands, ...state, unit: name }
  })
  const systemd = new FakeSystemd(new FakeDocker([]), unitFiles)
  systemd.services = () => Promise.resolve(states)
  systemd.show = (name) => Promise.resolve(states.find(({ unit }) => unit === name) ?? null)
  return { systemd, unitFiles, kubelet: new FakeKubelet(() => null), manifests: new FakeManifests() }
}

async function ownerOn(
  ports: ReturnType<typeof hostWith>,
  keeper: { manager?: 'docker' | 'systemd'; unit?: string } = {},
) {
  const { owner, unit, claims } = await findOwner(
    container(),
    { section: 'node', manager: 'auto', ...keeper },
    wanted.kubelet,
    { ...ports, docker: new FakeDocker([]) },
  )
  return {
    owner: owner.kind,
    unit: unit?.source.name,
    standsBy: unit?.standsBy,
    claims: claims.map(({ by }) => by),
  }
}

const DOCKER = { owner: 'docker', unit: undefined, standsBy: undefined, claims: [] }
const kept = (unit: string, standsBy = false, claims: string[] = []) => ({
  owner: 'systemd',
  unit,
  standsBy,
  claims,
})

describe('the owner of a container', () => {
  it.each<[string, Record<string, Unit>, object]>([
    ['a unit that is up', { 'a.service': { lines: [`ExecStart=${RUN}`] } }, kept('a.service')],
    ['calicoctl that waits', { 'a.service': { lines: [`ExecStart=${CALICOCTL}`] } }, kept('a.service')],
    [
      'a oneshot that is over, and enabled',
      { 'a.service': { lines: [`ExecStart=${CALICOCTL}`], active: 'inactive' } },
      kept('a.service', true),
    ],
    [
      'one that another unit pulls in',
      {
        'a.service': {
          lines: [`ExecStart=${RUN}`],
          active: 'inactive',
          fileState: 'static',
          startedBy: ['kubelet.service'],
        },
      },
      kept('a.service', true),
    ],
    [
      'Docker, beside one that was stopped and disabled',
      { 'a.service': { lines: [`ExecStart=${RUN}`], active: 'inactive', fileState: 'disabled' } },
      DOCKER,
    ],
    [
      'Docker, beside one that failed and is not enabled',
      { 'a.service': { lines: [`ExecStart=${RUN}`], active: 'failed', fileState: 'disabled' } },
      DOCKER,
    ],
    [
      'Docker, beside one that is masked',
      { 'a.service': { lines: [`ExecStart=${RUN}`], active: 'inactive', load: 'masked' } },
      DOCKER,
    ],
    [
      'the one that is up, and the other is said',
      {
        'a.service': { lines: [`ExecStart=${CALICOCTL}`], active: 'inactive' },
        'b.service': { lines: [`ExecStart=${RUN}`] },
      },
      kept('b.service', false, ['a.service']),
    ],
    [
      'the one that starts it, beside one that follows it',
      {
        'a.service': { lines: ['ExecStart=/usr/bin/docker attach calico-node'] },
        'b.service': { lines: [`ExecStart=${RUN}`] },
      },
      kept('b.service'),
    ],
    ['Docker, beside the Engine', { 'docker.service': { lines: ['ExecStart=/usr/bin/dockerd'] } }, DOCKER],
  ])('%s', async (_, units, owner) => {
    expect(await ownerOn(hostWith(units))).toEqual(owner)
  })

  it('is the unit whose script starts it, or the script of that', async () => {
    const files = { '/opt/a': '#!/bin/sh\n/opt/b calico\n', '/opt/b': `#!/bin/sh\nexec ${RUN}\n` }
    expect(await ownerOn(hostWith({ 'a.service': { lines: ['ExecStart=/opt/a'] } }, files))).toEqual(
      kept('a.service'),
    )
  })

  it('is the unit that is stated, whatever it does', async () => {
    const host = hostWith({ 'a.service': { lines: ['ExecStart=/opt/a'], active: 'inactive' } })
    expect(await ownerOn(host, { manager: 'systemd', unit: 'a.service' })).toEqual(kept('a.service'))
    await expect(ownerOn(host, { manager: 'systemd', unit: 'b.service' })).rejects.toThrow(
      /b.service does not exist/,
    )
    await expect(ownerOn(host, { manager: 'systemd' })).rejects.toThrow(/no active unit/)
  })

  it('is Docker where that is stated', async () => {
    const host = hostWith(
      { 'a.service': { lines: [`ExecStart=${RUN}`] } },
      { '/etc/crontab': `@reboot ${RUN}\n` },
    )
    expect(await ownerOn(host, { manager: 'docker' })).toEqual(DOCKER)
  })

  it('is Docker, and cron would start it as well', async () => {
    const host = hostWith(
      { 'cron.service': { lines: ['ExecStart=/usr/sbin/cron -f'] } },
      {
        '/etc/cron.d/net': '@reboot root /opt/n\n',
        '/opt/n': `${RUN} # calico\n`,
        '/etc/init/c.conf': `exec ${RUN}\n`,
      },
    )
    expect(await ownerOn(host)).toEqual({ ...DOCKER, claims: ['/etc/cron.d/net'] })
  })

  it('is Docker, and upstart would start it as well where there is no systemd', async () => {
    expect(await ownerOn(hostWith({}, { '/etc/init/c.conf': `exec ${RUN}\n` }))).toEqual({
      ...DOCKER,
      claims: ['/etc/init/c.conf'],
    })
  })
})

it('an environment file may be a pattern', async () => {
  const lines = [
    'EnvironmentFile=-/etc/calico/*.env',
    'ExecStart=/usr/bin/docker run --name=calico-node ${IMAGE}',
  ]
  const host = hostWith(
    { 'a.service': { lines, environmentFiles: ['/etc/calico/*.env'] } },
    { '/etc/calico/a.env': 'IMAGE=x:1\n', '/etc/calico/b.env': `IMAGE=${IMAGE}\n` },
  )
  const { owner } = await findOwner(container(), { section: 'node', manager: 'auto' }, wanted.kubelet, {
    ...host,
    docker: new FakeDocker([]),
  })
  expect(owner).toMatchObject({ why: expect.stringContaining('/etc/calico/b.env names the image') as string })
})
