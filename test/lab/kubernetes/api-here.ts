import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kubernetes } from './cluster.ts'
import { forwardFrom } from './forward.ts'

/** A kubeconfig of an administrator, for a client in this process. */
export async function kubeconfigHere(
  cluster: Kubernetes,
): Promise<{ kubeconfig: string; close: () => Promise<void> }> {
  const forward = await forwardFrom(cluster.address, 443)
  const directory = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
  const kubeconfig = join(directory, 'kubeconfig')
  const admin = await cluster.kubeconfigOf('here', { name: 'here', group: 'system:masters' })
  // it is another address than the one in its certificate
  const here = `https://127.0.0.1:${forward.port}", "tls-server-name": "kubernetes`
  await writeFile(kubeconfig, admin.replace(cluster.server, here))
  const close = async (): Promise<void> => {
    forward.close()
    await rm(directory, { recursive: true })
  }
  return { kubeconfig, close }
}
