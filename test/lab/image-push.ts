import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type CniTag, cniLayer, cniTags } from './cni-images.ts'
import {
  CONTROLLERS_PROGRAM,
  type ControllersTag,
  controllersLayer,
  controllersTags,
  userOf,
} from './controllers-images.ts'
import { ballastLayer, baseLayer, scriptLayer, versionLayer } from './image-layers.ts'
import { imageDefaults, type NodeTag, nodeTags } from './image-recipe.ts'

const dockerTypes = 'application/vnd.docker'
const manifestType = `${dockerTypes}.distribution.manifest.v2+json`

type Layer = { diffId: string; descriptor: Descriptor }
type Descriptor = { mediaType: string; size: number; digest: string }

/** Builds all images and pushes them to the registry that listens on `socketPath`. */
export async function pushImages(socketPath: string): Promise<void> {
  const nodes = { socketPath, repository: 'calico/node' }
  const shared = [await pushLayer(nodes, await baseLayer()), await pushLayer(nodes, await scriptLayer())]
  for (const image of nodeTags) await pushNode(nodes, image, shared)
  for (const image of cniTags) await pushCni({ socketPath, repository: 'calico/cni' }, image)
  for (const image of controllersTags) await pushControllers(socketPath, image)
  await pushPause({ socketPath, repository: 'pause' })
}

async function pushNode(to: Target, image: NodeTag, shared: readonly Layer[]): Promise<void> {
  const layers = [...shared, await pushLayer(to, await versionLayer(image))]
  const parts = image.ballast === undefined ? 0 : 4
  for (let index = 0; index < parts; index++) {
    const size = (image.ballast ?? 0) / parts
    layers.push(await pushLayer(to, await ballastLayer(size, index)))
  }
  const { env, labels } = imageDefaults(image.version)
  const settings = { Env: env, Labels: labels, Cmd: ['/sbin/start_runit'], WorkingDir: '/' }
  await pushImage(to, { ...image, settings }, layers)
}

async function pushCni(to: Target, image: CniTag): Promise<void> {
  const layers = [await pushLayer(to, await cniLayer(image))]
  const settings = image.volumes ? { Volumes: image.volumes } : {}
  await pushImage(to, { ...image, settings }, layers)
}

/** The real images are from scratch; these need a shell for their stand-in. */
async function pushControllers(socketPath: string, image: ControllersTag): Promise<void> {
  const to = { socketPath, repository: image.repository }
  const layers = [await pushLayer(to, await baseLayer()), await pushLayer(to, await controllersLayer(image))]
  const labels = { 'org.opencontainers.image.version': image.version }
  const settings = { Entrypoint: [CONTROLLERS_PROGRAM], Labels: labels, User: userOf(image) }
  await pushImage(to, { ...image, settings }, layers)
}

/** What holds the namespaces of a Kubernetes pod: it waits, and ends at a TERM. */
async function pushPause(to: Target): Promise<void> {
  const wait = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"
  const settings = { Entrypoint: ['/bin/sh', '-c', wait] }
  await pushImage(to, { tag: '3.6', settings }, [await pushLayer(to, await baseLayer())])
}

/** A repository of the registry that listens on the socket. */
type Target = { socketPath: string; repository: string }

type Image = { tag: string; architecture?: 'arm64'; settings: object }

async function pushImage(to: Target, image: Image, layers: readonly Layer[]): Promise<void> {
  const config = Buffer.from(JSON.stringify(imageConfig(image, layers)))
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: await pushBlob(to, config, `${dockerTypes}.container.image.v1+json`),
    layers: layers.map(({ descriptor }) => descriptor),
  }
  const path = `/v2/${to.repository}/manifests/${image.tag}`
  await call(to.socketPath, 'PUT', path, Buffer.from(JSON.stringify(manifest)), manifestType)
}

function imageConfig({ architecture, settings }: Image, layers: readonly Layer[]): object {
  return {
    architecture: architecture ?? (process.arch === 'arm64' ? 'arm64' : 'amd64'),
    os: 'linux',
    config: settings,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'lab' })),
    created: '1970-01-01T00:00:00Z',
  }
}

async function pushLayer(to: Target, tar: Buffer): Promise<Layer> {
  const compressed = await promisify(gzip)(tar, { level: 1 })
  const mediaType = `${dockerTypes}.image.rootfs.diff.tar.gzip`
  return { diffId: digestOf(tar), descriptor: await pushBlob(to, compressed, mediaType) }
}

async function pushBlob(to: Target, blob: Buffer, mediaType: string): Promise<Descriptor> {
  const digest = digestOf(blob)
  const upload = await call(to.socketPath, 'POST', `/v2/${to.repository}/blobs/uploads/`)
  const { pathname, search } = new URL(upload, 'http://registry')
  await call(to.socketPath, 'PUT', `${pathname}${search}&digest=${digest}`, blob, 'application/octet-stream')
  return { mediaType, size: blob.length, digest }
}

const digestOf = (data: Buffer): string => `sha256:${createHash('sha256').update(data).digest('hex')}`

/** One call of the registry's HTTP API v2. Resolves to the Location header. */
function call(
  socketPath: string,
  method: string,
  path: string,
  body: Buffer = Buffer.alloc(0),
  type = 'application/json',
): Promise<string> {
  const headers = { 'content-type': type, 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers }, (response) => {
      response.resume()
      response.on('end', () => {
        const status = response.statusCode ?? 0
        if (status < 300) resolve(response.headers.location ?? '')
        else reject(new Error(`cannot push to the registry: ${method} ${path} answers ${status}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
