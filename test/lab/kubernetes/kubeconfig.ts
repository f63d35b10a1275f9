import { readFile } from 'node:fs/promises'
import type { Certificate } from '../authority.ts'

/** Everything of a credential in one file, as `kubectl config view --flatten` writes it. JSON is YAML. */
export async function flatKubeconfig(
  server: string,
  ca: string,
  { cert, key }: Certificate,
): Promise<string> {
  return kubeconfig(
    { server, 'certificate-authority-data': await base64(ca) },
    { 'client-certificate-data': await base64(cert), 'client-key-data': await base64(key) },
  )
}

export function kubeconfig(cluster: object, user: object): string {
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster }],
    users: [{ name: 'lab', user }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab' } }],
    'current-context': 'lab',
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

const base64 = (path: string): Promise<string> => readFile(path, 'base64')
