import type { Host } from '../host.ts'
import { cgroupName } from '../paths.ts'
import { CONTAINERD_ENDPOINT, CONTAINERD_UNIT, containerdRemoval, startContainerd } from './containerd.ts'
import { HOST_BIN } from './program.ts'

export const KUBELET_UNIT = 'kubelet.service'
export const STATIC_PODS = '/etc/kubernetes/manifests'
/** Where kubeadm has them. */
const CONFIG = '/var/lib/kubelet/config.yaml'
export const KUBECONFIG = '/etc/kubernetes/kubelet.conf'
export const CLIENT_CA = '/etc/kubernetes/pki/ca.crt'

export type KubeletOptions = {
  /** Reference of the image that holds a pod's namespaces. */
  pauseImage: string
  /** Without: no API server, static pods alone. */
  kubeconfig?: string
  /** Keys of the KubeletConfiguration; they win over what is set here. */
  config?: object
  /** What runs its pods. Default: Docker, by dockershim. */
  runtime?: 'docker' | 'containerd'
}

/** A real kubelet as a unit of the host, up at each boot. */
export async function startKubelet(host: Host, options: KubeletOptions): Promise<void> {
  const config = { ...(await configuration(host, options)), ...options.config }
  if (options.runtime === 'containerd') await startContainerd(host, options.pauseImage)
  await host.ok(['mkdir', '-p', STATIC_PODS])
  await host.writeFile(CONFIG, `${JSON.stringify(config, null, 2)}\n`)
  await host.writeFile(`/etc/systemd/system/${KUBELET_UNIT}`, unit(host, options))
  await host.ok(['systemctl', 'daemon-reload'])
  await host.ok(['systemctl', 'enable', KUBELET_UNIT])
  await host.ok(['systemctl', 'restart', KUBELET_UNIT])
}

/** Ends it for good, and its pods with it. */
export async function removeKubelet(host: Host): Promise<void> {
  await host.ok(['sh', '-c', removal])
}

/** Its volumes are mounts below its directory. Pods are removed by force: a TERM would have BIRD tell its peers. */
const removal = `
[ -e /var/lib/kubelet ] || exit 0
systemctl kill --signal=KILL ${KUBELET_UNIT} 2>/dev/null
systemctl disable --now ${KUBELET_UNIT} 2>/dev/null
docker ps --all --quiet --filter label=io.kubernetes.docker.type | xargs -r docker rm --force --volumes >/dev/null
${containerdRemoval}
sed -n 's|^[^ ]* \\(/var/lib/kubelet[^ ]*\\) .*|\\1|p' /proc/mounts | sort -r | xargs -r umount
rm -rf /etc/systemd/system/${KUBELET_UNIT} /var/lib/kubelet /etc/kubernetes /var/log/pods /var/log/containers
systemctl daemon-reload
systemctl reset-failed`

async function configuration(host: Host, { kubeconfig, runtime }: KubeletOptions): Promise<object> {
  const { CgroupDriver } = (await host.docker.info()) as { CgroupDriver: string }
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    staticPodPath: STATIC_PODS,
    ...access(kubeconfig),
    // It is a guest in the machine's cgroups, and the machine's kernel is not its own.
    cgroupDriver: CgroupDriver,
    // containerd makes cgroups of its own at the top where the kubelet names none
    cgroupsPerQOS: runtime === 'containerd',
    cgroupRoot: `/${cgroupName}/inner`,
    enforceNodeAllocatable: [],
    protectKernelDefaults: true,
    makeIPTablesUtilChains: false,
    oomScoreAdj: 0,
    failSwapOn: false,
    evictionHard: { 'memory.available': '20Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    // As quick as the lab: the defaults are those of large clusters.
    nodeStatusUpdateFrequency: '5s',
    fileCheckFrequency: '1s',
    syncFrequency: '10s',
    shutdownGracePeriod: '0s',
  }
}

const access = (kubeconfig: string | undefined): object =>
  kubeconfig === undefined
    ? {
        authentication: { anonymous: { enabled: false }, webhook: { enabled: false } },
        authorization: { mode: 'AlwaysAllow' },
      }
    : {
        authentication: { anonymous: { enabled: false }, x509: { clientCAFile: CLIENT_CA } },
        authorization: { mode: 'Webhook' },
        rotateCertificates: true,
      }

function unit({ name, address }: Host, { pauseImage, kubeconfig, runtime }: KubeletOptions): string {
  const isDocker = runtime !== 'containerd'
  const flags = [
    `--config=${CONFIG}`,
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    ...[`--hostname-override=${name}`, `--node-ip=${address}`],
    ...(isDocker
      ? ['--network-plugin=cni', `--pod-infra-container-image=${pauseImage}`]
      : ['--container-runtime=remote', `--container-runtime-endpoint=${CONTAINERD_ENDPOINT}`]),
  ]
  const engine = isDocker ? 'docker.service' : CONTAINERD_UNIT
  return [
    ...['[Unit]', 'Description=kubelet: The Kubernetes Node Agent', `After=${engine}`, `Wants=${engine}`],
    ...['StartLimitIntervalSec=0', '[Service]', `ExecStartPre=${HOST_BIN}/hold-sysctls`],
    ...[`ExecStart=${HOST_BIN}/kubelet ${flags.join(' ')}`, 'Restart=always', 'RestartSec=1'],
    ...['[Install]', 'WantedBy=multi-user.target', ''],
  ].join('\n')
}
