import type { Host } from '../host.ts'

export const CONTAINERD_UNIT = 'cri-containerd.service'
const STATE = '/run/cri'
/** Not on the host's own root: an overlay cannot be the upper layer of another one. */
const ROOT = '/var/lib/docker/cri'
const CONFIG = '/etc/containerd/cri.toml'
const SOCKET = `${STATE}/containerd.sock`
export const CONTAINERD_ENDPOINT = `unix://${SOCKET}`
const RUNC_WRAPPER = '/usr/local/sbin/lab-runc'

/** A containerd for the kubelet, beside the one of the host's Docker: Debian's, with its CRI plugin. */
export async function startContainerd(host: Host, pauseImage: string): Promise<void> {
  const binary = (await host.exists(RUNC_WRAPPER)) ? RUNC_WRAPPER : 'runc'
  await host.writeFile(CONFIG, configuration(pauseImage, binary))
  await host.writeFile(`/etc/systemd/system/${CONTAINERD_UNIT}`, unit)
  await host.ok(['systemctl', 'daemon-reload'])
  await host.ok(['systemctl', 'enable', CONTAINERD_UNIT])
  await host.ok(['systemctl', 'restart', CONTAINERD_UNIT])
}

/** Its containers by KILL; what a shim left is unmounted. For the script that removes a kubelet. */
export const containerdRemoval = `
if [ -e /etc/systemd/system/${CONTAINERD_UNIT} ]; then
  for id in $(ctr --address ${SOCKET} --namespace k8s.io tasks list --quiet); do
    ctr --address ${SOCKET} --namespace k8s.io tasks kill --all --signal KILL "$id"
  done
  systemctl kill --signal=KILL ${CONTAINERD_UNIT} 2>/dev/null
  systemctl disable --now ${CONTAINERD_UNIT} 2>/dev/null
  sed -n 's|^[^ ]* \\(${STATE}/[^ ]*\\) .*|\\1|p' /proc/mounts | sort -r | xargs -r umount
  rm -rf /etc/systemd/system/${CONTAINERD_UNIT} ${CONFIG} ${STATE} ${ROOT}
fi`

/** `lab.registry` is reached by plain HTTP. Without CAP_SYS_RESOURCE nothing is made safer from the OOM killer. */
function configuration(pauseImage: string, runc: string): string {
  const [registry = ''] = pauseImage.split('/')
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = "${ROOT}"
state = "${STATE}"
[grpc]
  address = "${SOCKET}"
[${cri}]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
[${cri}.cni]
  bin_dir = "/opt/cni/bin"
  conf_dir = "/etc/cni/net.d"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  BinaryName = "${runc}"
[${cri}.registry.mirrors."${registry}"]
  endpoint = ["http://${registry}"]
`
}

const unit = `[Unit]
Description=containerd with its CRI plugin, for the kubelet
[Service]
ExecStart=/usr/bin/containerd --config ${CONFIG}
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
`
