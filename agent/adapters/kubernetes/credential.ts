import type { OutgoingHttpHeaders } from 'node:http'
import type { RequestOptions } from 'node:https'
import { dirname, resolve } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { AgentError } from '../../core/errors.ts'
import { messageOf } from '../../core/message-of.ts'
import { readText } from '../read-file.ts'

export interface CredentialSource {
  /** Null: this host's kubelet's own. */
  kubeconfig: string | null
  /** The service account of the pod that the agent runs in. */
  inCluster: boolean
}

export interface Credential {
  /** URL of the API server. */
  server: string
  /** Where the credential comes from: a file, or words. */
  origin: string
  /** TLS material and headers for one request. */
  options: () => Promise<TlsOptions>
}

type TlsOptions = Omit<RequestOptions, 'headers'> & { headers?: OutgoingHttpHeaders }

/** kubeadm's place, and the one that most other installers use. */
const KUBELETS = ['/etc/kubernetes/kubelet.conf', '/var/lib/kubelet/kubeconfig']

/** A kubeconfig with its certificates inside takes some 10 kB. */
const MAX_BYTES = 4 * 1024 * 1024

/** @throws AgentError `kubernetes-credential` */
export async function loadCredential({ kubeconfig, inCluster }: CredentialSource): Promise<Credential> {
  if (inCluster) return credentialOf(await podConfig(), 'the service account of this pod')
  const candidates = kubeconfig === null ? KUBELETS : [kubeconfig]
  for (const path of candidates) {
    const text = await readText(path, MAX_BYTES)
    if (text !== undefined) return credentialOf(await parse(text, path), path)
  }
  throw noCredential(candidates.join(' or '), 'no such file')
}

async function podConfig(): Promise<KubeConfig> {
  if (process.env['KUBERNETES_SERVICE_HOST'] === undefined)
    throw noCredential(
      'the service account of this pod',
      'KUBERNETES_SERVICE_HOST is not set: this is not a pod',
    )
  const config = await emptyConfig()
  config.loadFromCluster()
  return config
}

async function parse(text: string, path: string): Promise<KubeConfig> {
  const config = await emptyConfig()
  try {
    config.loadFromString(text)
  } catch (error) {
    // the client looks for what must be in it, and finds nothing
    const why = error instanceof TypeError ? 'clusters, users or contexts are missing' : messageOf(error)
    throw noCredential(path, `it is not a kubeconfig: ${why}`)
  }
  config.makePathsAbsolute(dirname(path))
  const user = config.getCurrentUser()
  const file = user && (await tokenFileOf(text, user.name))
  if (user && file != null) {
    const token = (await readToken(resolve(dirname(path), file), path)).trim()
    config.users = config.users.map((one) => (one === user ? { ...one, token } : one))
  }
  return config
}

/** The client does not know this key of client-go's, which counts for more than `token`. */
async function tokenFileOf(text: string, name: string): Promise<string | undefined> {
  const yaml = await import('yaml')
  const { users = [] } = yaml.parse(text) as { users?: { name?: string; user?: { tokenFile?: string } }[] }
  return users.find((one) => one.name === name)?.user?.tokenFile
}

async function readToken(file: string, kubeconfig: string): Promise<string> {
  const token = await readText(file, MAX_BYTES)
  if (token === undefined) throw noCredential(kubeconfig, `there is no file ${file}, its tokenFile`)
  return token
}

async function emptyConfig(): Promise<KubeConfig> {
  const { KubeConfig } = await import('./client.ts')
  return new KubeConfig()
}

function credentialOf(config: KubeConfig, origin: string): Credential {
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw noCredential(origin, 'its current-context names no cluster')
  const options = async (): Promise<TlsOptions> => {
    const into: TlsOptions = {}
    try {
      await config.applyToHTTPSOptions(into)
    } catch (error) {
      throw noCredential(origin, messageOf(error))
    }
    return into
  }
  return { server: cluster.server, origin, options }
}

function noCredential(origin: string, why: string): AgentError {
  return new AgentError('kubernetes-credential', `cannot use ${origin} for the Kubernetes API: ${why}`, {
    fix: 'set kubernetes.kubeconfig to a kubeconfig that works; try one with kubectl --kubeconfig FILE get nodes',
  })
}
