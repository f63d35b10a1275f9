import { setTimeout as sleep } from 'node:timers/promises'
import { outputJson, readJson, remove } from 'fs-extra/esm'
import type { Host } from './host.ts'
import { removeKubelet } from './kubernetes/kubelet.ts'
import { labPath } from './paths.ts'

/** Whatever the agent, a test or calico-node may have left on a host. */
const traces = [
  '/etc/calico',
  '/etc/calico-agent',
  '/etc/cni',
  '/etc/kubernetes',
  '/opt/cni',
  '/opt/store',
  '/usr/local/bin/podman',
  '/srv/controllers',
  '/run/calico',
  '/run/calico-agent',
  '/var/lib/calico',
  '/var/lib/calico-agent',
  '/var/log/calico',
  '/var/log/calico-agent',
]

const calicoUnits = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/run/systemd/transient',
  '/usr/lib/systemd/system',
]
  .map((directory) => `${directory}/*calico*`)
  .join(' ')

/** Routes that an agent held and died: their rules would be the next test's. */
const releaseHeld =
  'for f in -4 -6; do while ip $f rule del pref 32724 || ip $f rule del pref 32725; do :; done 2>/dev/null; done'

/** What the stand-ins of the controllers share, whichever user they run as. */
const shareControllers =
  'mkdir -m 777 /srv/controllers && cd /srv/controllers && touch lock starts overlaps && chmod 666 *'

/** Brings a host back to what it was before any calico-node ran, images but `keepImage` removed as well. */
export async function cleanHost(host: Host, keepImage: string): Promise<void> {
  await remove(recordPath(host))
  await killLeftOvers(host)
  await removeKubelet(host)
  await removePackage(host)
  await removeUnits(host)
  await removeContainers(host)
  await host.docker.pruneVolumes()
  await removeImages(host, keepImage)
  await host.ok(['rm', '-rf', ...traces])
  await host.ok(['sh', '-c', shareControllers])
  await host.ok(['ip', 'route', 'flush', 'proto', 'bird'])
  await host.ok(['sh', '-c', releaseHeld])
}

export async function ensureImage(host: Host, image: string): Promise<void> {
  const present = await host.docker.listImages({ filters: { reference: [image] } })
  if (present.length === 0) await pullImage(host, image)
}

export function pullImage(host: Host, image: string): Promise<void> {
  return askRegistry(host, ['docker', 'pull', '--quiet', image])
}

/** Docker gives a registry 15 s to answer: on a busy machine that is too short now and then. */
export async function askRegistry(host: Host, argv: readonly string[], attempts = 4): Promise<void> {
  for (let left = attempts - 1; ; left--) {
    const { code, stderr } = await host.run(argv)
    if (code === 0) return
    if (left === 0) throw new Error(`cannot run ${argv.join(' ')} on ${host.name}: ${stderr.trim()}`)
    await sleep(3_000)
  }
}

/** Notes which container the host runs at the end of a reset. */
export async function rememberReset(host: Host, fingerprint: string): Promise<void> {
  await outputJson(recordPath(host), { fingerprint, state: await stateOf(host) })
}

/** True if nothing that a reset would have to repair has happened on the host since `rememberReset`. */
export async function isUntouched(host: Host, fingerprint: string): Promise<boolean> {
  try {
    const record = (await readJson(recordPath(host))) as unknown
    return JSON.stringify(record) === JSON.stringify({ fingerprint, state: await stateOf(host) })
  } catch {
    return false
  }
}

const recordPath = (host: Host): string => labPath('hosts', host.name, 'reset.json')

/** Everything that a test may change, in a form that can be compared. */
async function stateOf(host: Host): Promise<unknown> {
  const { docker } = host
  const containers = await docker.listContainers({ all: true })
  const [inspections, images, volumes, files, routes] = await Promise.all([
    Promise.all(containers.map(({ Id }) => docker.getContainer(Id).inspect())),
    docker.listImages({ all: true }),
    docker.listVolumes(),
    filesOf(host),
    host.ok(['ip', 'route', 'show', 'proto', 'bird']),
  ])
  return {
    pid: host.pid,
    containers: inspections.map(({ Id, Name, State }) => [Id, Name, State.StartedAt]),
    images: images.map(({ Id, RepoTags }) => [Id, RepoTags]),
    volumes: volumes.Volumes.map(({ Name }) => Name),
    files,
    routes,
  }
}

/**
 * Programs that entered from outside have no parent here: an agent or a pull that a test left behind. A pull in
 * progress is dangerous: the engine makes later pulls of the same layers wait for it.
 */
async function killLeftOvers(host: Host): Promise<void> {
  await host.run(['pkill', '-KILL', '--parent', '0']) // PID 1 is among them, and immune from within
  await host.run(['pkill', '-KILL', '--exact', 'docker'])
}

/** A test that failed may have left it, or a link in its place. */
async function removePackage(host: Host): Promise<void> {
  if ((await host.run(['dpkg', '--status', 'calico-agent'])).code === 0) {
    await host.run(['dpkg', '--purge', '--force-remove-reinstreq', 'calico-agent'])
  }
  await host.ok(['sh', '-c', 'rm -f /usr/bin/calico-agent /root/*.deb'])
}

async function removeUnits(host: Host): Promise<void> {
  const listed = await host.ok(['sh', '-c', `cd / && ls -d ${calicoUnits} 2>/dev/null || true`])
  const paths = listed.split('\n').filter(Boolean)
  if (paths.length === 0) return
  const units = paths.map((path) => path.split('/').at(-1) ?? '').filter((name) => name.endsWith('.service'))
  await host.run(['systemctl', 'kill', '--signal=KILL', ...units])
  await host.run(['systemctl', 'disable', '--now', ...units], { timeoutMs: 20_000 })
  await host.ok(['rm', '-rf', ...paths])
  await host.ok(['systemctl', 'daemon-reload'])
  await host.run(['systemctl', 'reset-failed'])
}

async function removeContainers(host: Host): Promise<void> {
  const listed = await host.docker.listContainers({ all: true })
  // Removal by force sends KILL: a TERM would have BIRD tell its peers.
  await Promise.all(listed.map(({ Id }) => host.docker.getContainer(Id).remove({ force: true, v: true })))
}

async function removeImages(host: Host, keep: string): Promise<void> {
  for (const { Id, RepoTags } of await host.docker.listImages()) {
    const others = (RepoTags ?? []).filter((tag) => tag !== keep)
    for (const tag of others) await host.docker.getImage(tag).remove({ force: true })
    if ((RepoTags ?? []).length === 0)
      await host.docker
        .getImage(Id)
        .remove({ force: true })
        .catch(() => undefined)
  }
}

/** Paths, inodes and times. Most of `traces` do not exist, of which find complains on stderr. Logs grow by themselves. */
async function filesOf(host: Host): Promise<string> {
  const argv = [
    'find',
    ...traces,
    '/etc/systemd/system',
    '/usr/bin/calico-agent',
    '-xdev',
    ...['-not', '-path', '/var/log/calico/?*'],
    '-printf',
    '%p %i %T@\\n',
  ]
  return (await host.run(argv)).stdout
}
