import { endpointOf, withExtraHosts } from '../core/datastore/endpoint.ts'
import type { ObservedDatastore } from '../core/datastore/observed.ts'
import { apiServerOf, type DatastorePlace, datastorePlace } from '../core/datastore/place.ts'
import {
  CALICOCTL_CFG,
  type DatastoreSettings,
  namesDatastore,
  settingsOfConfig,
  settingsOfEnv,
} from '../core/datastore/settings.ts'
import { looksLikeCalicoNode } from '../core/docker/calico-node.ts'
import type { RunningImage } from '../core/docker/image-state.ts'
import type { ContainerJson } from '../core/docker/json.ts'
import { AgentError } from '../core/errors.ts'
import { runningVersion } from '../core/release/node-versions.ts'
import type { Datastore } from '../ports/datastore.ts'
import type { Docker } from '../ports/docker.ts'

interface DatastorePorts {
  docker: Pick<Docker, 'readContainerFile'>
  datastore: Datastore
}

/** Of all dials together. */
const DIAL_MS = 2_000

/** Whether the datastore of this container answers now; null if it is not known which one that is. */
export async function observeDatastore(
  running: RunningImage,
  ports: DatastorePorts,
): Promise<ObservedDatastore | null> {
  const { container } = running
  // another network than this host's leads elsewhere, and another program has none of Calico's defaults
  if (container.HostConfig.NetworkMode !== 'host' || !looksLikeCalicoNode(container)) return null
  const place = datastorePlace(await settingsOf(container, ports), runningVersion(running))
  const found = place && (await urlsOf(place, container, ports))
  if (!place || !found) return null
  const kind = place.kind === 'etcd' || place.kind === 'etcd-srv' ? 'etcd' : 'kubernetes'
  if ('failure' in found) {
    return { kind, by: place.by, endpoints: [{ shown: found.shown, failure: found.failure }] }
  }
  const endpoints = found.urls.map((url) => endpointOf(url))
  if (endpoints.length === 0 || endpoints.includes(null)) return null
  const dialled = endpoints
    .flatMap((endpoint) => endpoint ?? [])
    .map(async (endpoint) => {
      const to = withExtraHosts(endpoint, container.HostConfig['ExtraHosts'])
      return { shown: endpoint.shown, failure: await ports.datastore.dial(to, DIAL_MS) }
    })
  return { kind, by: place.by, endpoints: await Promise.all(dialled) }
}

async function settingsOf({ Id, Config }: ContainerJson, ports: DatastorePorts): Promise<DatastoreSettings> {
  const ofEnv = settingsOfEnv(Config.Env)
  if (namesDatastore(ofEnv)) return ofEnv
  const document = await documentIn(Id, CALICOCTL_CFG, ports)
  const ofFile = settingsOfConfig(document, ofEnv)
  return namesDatastore(ofFile) ? ofFile : ofEnv
}

type Found = { urls: string[] } | { shown: string; failure: string }

async function urlsOf(
  place: DatastorePlace,
  { Id }: ContainerJson,
  ports: DatastorePorts,
): Promise<Found | null> {
  if (place.kind === 'etcd-srv') return await discovered(place.domain, ports.datastore)
  if (place.kind !== 'kubeconfig') return place
  const server = apiServerOf(await documentIn(Id, place.path, ports))
  return server === null ? null : { urls: [server] }
}

/** Both records count (etcd: pkg/srv, GetClient). */
async function discovered(domain: string, datastore: Datastore): Promise<Found> {
  const look = async (service: string, scheme: string): Promise<string[]> => {
    const records = await datastore.serviceRecords(`_${service}._tcp.${domain}`, DIAL_MS)
    return records.map(({ host, port }) => `${scheme}://${host.replace(/\.$/, '')}:${port}`)
  }
  const urls = (await Promise.all([look('etcd-client-ssl', 'https'), look('etcd-client', 'http')])).flat()
  if (urls.length > 0) return { urls }
  return { shown: `_etcd-client._tcp.${domain}`, failure: 'no such SRV record, with or without -ssl' }
}

/** A missing or unreadable file says nothing. */
async function documentIn(container: string, path: string, ports: DatastorePorts): Promise<unknown> {
  const text = await ports.docker.readContainerFile(container, path).catch((error: unknown) => {
    if (error instanceof AgentError) return undefined
    throw error
  })
  return text === undefined ? undefined : await ports.datastore.parse(text)
}
