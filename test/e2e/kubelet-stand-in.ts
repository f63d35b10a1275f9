import type { Host } from '../lab/index.ts'

/** Under names that a reset of the lab removes. */
export const KUBELET_UNIT = 'calico-lab-kubelet-stand-in.service'
const PROGRAM = '/opt/cni/stand-in/kubelet'
const HAS_READ = '/var/lib/calico/stand-in-has-read'
const CONFIG = '/etc/cni/net.d/10-calico.conf'

/**
 * A stand-in for a kubelet that reads its CNI config at its start only. It is no kubelet: it tells a version, keeps a
 * copy of what it read, and ends at once where that holds "break-the-kubelet".
 */
export async function installKubelet(host: Host, version: string): Promise<void> {
  const script = [
    '#!/bin/sh',
    `if [ "$1" = --version ]; then echo "Kubernetes ${version}"; exit; fi`,
    `cp ${CONFIG} ${HAS_READ}`,
    `if grep -q break-the-kubelet ${HAS_READ}; then sleep 1; exit 1; fi`,
    'exec sleep infinity',
    '',
  ]
  const unit = [
    ...['[Unit]', 'Description=Stand-in for a kubelet', '[Service]'],
    ...[`ExecStart=${PROGRAM} --network-plugin=cni`, 'Restart=always', 'RestartSec=1'],
    ...['[Install]', 'WantedBy=multi-user.target', ''],
  ]
  await host.writeFile(PROGRAM, script.join('\n'), 0o755)
  await host.writeFile(`/etc/systemd/system/${KUBELET_UNIT}`, unit.join('\n'))
  await host.ok(['mkdir', '-p', '/var/lib/calico'])
  await host.ok(['systemctl', 'daemon-reload'])
  await host.ok(['systemctl', 'enable', '--now', KUBELET_UNIT])
}

/** The same, told of another directory by an environment file, or by the script that starts it and waits. */
export async function installKubeletWithFlags(host: Host, how: 'environment' | 'script'): Promise<void> {
  const [start, flags] = ['/opt/cni/stand-in/start', '--cni-conf-dir=/srv/net.d']
  const exec = how === 'script' ? start : `${PROGRAM} $NETWORK`
  const service = [`ExecStart=${exec}`, 'EnvironmentFile=-/opt/cni/stand-in/env']
  await host.writeFile(PROGRAM, '#!/bin/sh\nsleep infinity &\nwait\n', 0o755)
  await host.writeFile(start, `#!/bin/sh\n${PROGRAM} ${flags}\necho over\n`, 0o755)
  await host.writeFile('/opt/cni/stand-in/env', `NETWORK="--network-plugin=cni ${flags}"\n`)
  await host.writeFile(`/etc/systemd/system/${KUBELET_UNIT}`, ['[Service]', ...service, ''].join('\n'))
  await host.ok(['systemctl', 'daemon-reload'])
  await host.ok(['systemctl', 'restart', KUBELET_UNIT])
}

/** What it read when it last started. */
export async function hasRead(host: Host): Promise<string> {
  return await host.readFile(HAS_READ)
}

export async function kubeletPid(host: Host): Promise<string> {
  return await host.ok(['systemctl', 'show', '--property=MainPID', '--value', KUBELET_UNIT])
}
