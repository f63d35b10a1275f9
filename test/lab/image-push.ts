import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { ballastLayer, baseLayer, scriptLayer, versionLayer } from './image-layers.ts'
import { imageDefaults, type NodeTag, nodeTags } from './image-recipe.ts'

const repository = 'calico/node'
const dockerTypes = 'application/vnd.docker'
const manifestType = `${dockerTypes}.distribution.manifest.v2+json`

type Layer = { diffId: string; descriptor: Descriptor }
type Descriptor = { mediaType: string; size: number; digest: string }

/** Builds all images and pushes them to the registry that listens on `socketPath`. */
export async function pushImages(socketPath: string): Promise<void> {
  const shared = [
    await pushLayer(socketPath, await baseLayer()),
    await pushLayer(socketPath, await scriptLayer()),
  ]
  for (const image of nodeTags) await pushImage(socketPath, image, shared)
}

async function pushImage(socketPath: string, image: NodeTag, shared: readonly Layer[]): Promise<void> {
  const layers = [...shared, await pushLayer(socketPath, await versionLayer(image))]
  const parts = image.ballast === undefined ? 0 : 4
  for (let index = 0; index < parts; index++) {
    const size = (image.ballast ?? 0) / parts
    layers.push(await pushLayer(socketPath, await ballastLayer(size, index)))
  }
  const config = Buffer.from(JSON.stringify(imageConfig(image, layers)))
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: await pushBlob(socketPath, config, `${dockerTypes}.container.image.v1+json`),
    layers: layers.map(({ descriptor }) => descriptor),
  }
  const path = `/v2/${repository}/manifests/${image.tag}`
  await call(socketPath, 'PUT', path, Buffer.from(JSON.stringify(manifest)), manifestType)
}

function imageConfig(image: NodeTag, layers: readonly Layer[]): object {
  const { env, labels } = imageDefaults(image.version)
  return {
    architecture: image.architecture ?? (process.arch === 'arm64' ? 'arm64' : 'amd64'),
    os: 'linux',
    config: { Env: env, Labels: labels, Cmd: ['/sbin/start_runit'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'lab' })),
    created: '1970-01-01T00:00:00Z',
  }
}

async function pushLayer(socketPath: string, tar: Buffer): Promise<Layer> {
  const compressed = await promisify(gzip)(tar, { level: 1 })
  const mediaType = `${dockerTypes}.image.rootfs.diff.tar.gzip`
  return { diffId: digestOf(tar), descriptor: await pushBlob(socketPath, compressed, mediaType) }
}

async function pushBlob(socketPath: string, blob: Buffer, mediaType: string): Promise<Descriptor> {
  const digest = digestOf(blob)
  const upload = await call(socketPath, 'POST', `/v2/${repository}/blobs/uploads/`)
  const { pathname, search } = new URL(upload, 'http://registry')
  await call(socketPath, 'PUT', `${pathname}${search}&digest=${digest}`, blob, 'application/octet-stream')
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
