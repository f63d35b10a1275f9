import { readText } from '../read-file.ts'

/** As the kubelet tells it to a pod, beside the token of its account. */
const FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'
/** That of scripts/kubernetes/. */
const DEFAULT = 'calico-agent'

/** The namespace of the pod that the agent runs in. */
export async function readOwnNamespace(): Promise<string> {
  return (await readText(FILE, 1024))?.trim() || DEFAULT
}
