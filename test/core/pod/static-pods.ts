import { readPod } from '../../../agent/adapters/manifests/read-pod.ts'
import type { ObservedControllers } from '../../../agent/core/model.ts'
import type { ManifestFile } from '../../../agent/core/pod/manifest.ts'
import type { ObservedPod } from '../../../agent/core/pod/static-pod.ts'
import { container, digest, image } from '../observed.ts'

export const MANIFEST = '/etc/kubernetes/manifests/controllers.yaml'
export const OLD = 'calico/kube-controllers:v3.20.0'

export const manifestText = (named = OLD, name = 'controllers'): string =>
  `kind: Pod\nmetadata: {name: ${name}}\nspec:\n  containers:\n  - name: calico-kube-controllers\n    image: ${named}\n`

export async function manifestFile(text = manifestText(), path = MANIFEST): Promise<ManifestFile> {
  return { path, text, isLink: false, pod: await readPod(text) }
}

/** Controllers that the kubelet runs by `MANIFEST`. */
export async function staticControllers(
  changes: Partial<ObservedPod> = {},
  Running = true,
): Promise<ObservedControllers & { pod: ObservedPod }> {
  const pod: ObservedPod = {
    pod: 'controllers-host-1',
    namespace: 'default',
    container: 'calico-kube-controllers',
    manifest: await manifestFile(),
    others: [],
    imageId: digest('1'),
    readOnly: null,
    kubelet: { unit: 'kubelet.service', state: 'running', version: null },
    ...changes,
  }
  return {
    container: container({ Config: { Image: OLD }, HostConfig: { RestartPolicy: { Name: 'no' } }, Running }),
    image: image('1', `calico/kube-controllers@${digest('a')}`),
    owner: { kind: 'static-pod', manifest: MANIFEST, why: 'it is its manifest' },
    unit: null,
    pod,
  }
}
