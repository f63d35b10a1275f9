import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Host, pullImage, STATIC_PODS, until } from '../lab/index.ts'
import { image } from './support.ts'

/** Under names that a reset of the lab removes. */
export const KUBELET = 'calico-lab-kubelet.service'
const PROGRAM = '/opt/cni/stand-in/kubelet'
const DIRECTORY = STATIC_PODS
export const MANIFEST = `${DIRECTORY}/calico-kube-controllers.yaml`

const SOURCE = join(import.meta.dirname, '../lab/kubelet-stand-in.py')

/**
 * The lab's stand-in for a kubelet that keeps static pods, up at each boot. As those before Kubernetes 1.22 it does not wait
 * for the old pod of an edited manifest to end.
 */
export async function installPodKubelet(host: Host): Promise<void> {
  const command = `${PROGRAM} --pod-manifest-path=${DIRECTORY} --sandbox=${image('v2.6.5')}`
  const unit = [
    ...['[Unit]', 'Description=Stand-in for a kubelet with static pods', 'After=docker.service'],
    ...['[Service]', `ExecStart=${command}`, 'Restart=always', 'RestartSec=1'],
    ...['[Install]', 'WantedBy=multi-user.target', ''],
  ]
  await host.ok(['mkdir', '-p', DIRECTORY])
  await host.writeFile(PROGRAM, await readFile(SOURCE, 'utf8'), 0o755)
  await host.writeFile(`/etc/systemd/system/${KUBELET}`, unit.join('\n'))
  await host.ok(['systemctl', 'daemon-reload'])
  await host.ok(['systemctl', 'enable', '--now', KUBELET])
}

/** As an operator writes it: comments, quotes and spacing of their own. */
export const manifest = (controllers: string, graceS = 5): string => `# ours: the only instance of the cluster
apiVersion: v1
kind: Pod
metadata:
  name: calico-kube-controllers
  namespace: kube-system
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: ${graceS}
  containers:
  - name: calico-kube-controllers
    image:   "${controllers}"   # keep in step with the node
    imagePullPolicy: IfNotPresent
    env:
    - {name: KUBECONFIG, value: /etc/kubeconfig}
    - {name: ETCD_PASSWORD, value: hunter2}
    volumeMounts:
    - {name: shared, mountPath: /shared}
  volumes:
  - {name: shared, hostPath: {path: /srv/controllers}}
`

/** Puts a manifest in place in one piece, and waits until its image runs. */
export async function runStaticPod(
  host: Host,
  controllers: string,
  text = manifest(controllers),
): Promise<void> {
  await pullImage(host, controllers)
  await putManifest(host, text)
  await untilRuns(host, controllers)
}

export async function putManifest(host: Host, text: string): Promise<void> {
  await host.writeFile('/etc/kubernetes/next', text, 0o640)
  await host.ok(['mv', '/etc/kubernetes/next', MANIFEST])
}

export async function untilRuns(host: Host, controllers: string): Promise<void> {
  await until(`the kubelet runs ${controllers}`, async () => (await podImages(host)).includes(controllers))
}

/** References of the images that run as controllers in pods, by what their ids are called. */
export async function podImages(host: Host): Promise<string[]> {
  const filters = { label: ['io.kubernetes.container.name=calico-kube-controllers'], status: ['running'] }
  const running = await host.docker.listContainers({ filters })
  const images = await Promise.all(running.map(({ ImageID }) => host.docker.getImage(ImageID).inspect()))
  return images.flatMap(({ RepoTags }) => RepoTags)
}

/** Every file of the directory with its mode and owner. */
export async function manifestFiles(host: Host): Promise<string[]> {
  const listed = await host.ok(['find', DIRECTORY, '-type', 'f', '-printf', '%f %m %U:%G\\n'])
  return listed.trim().split('\n').sort()
}
