import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDir, pathExists, remove } from 'fs-extra/esm'
import { registryAddress, registryPort } from './addresses.ts'
import { cached, cacheKey } from './cache.ts'
import { cniTags } from './cni-images.ts'
import { controllersTags } from './controllers-images.ts'
import { daemonAlive, startDaemon, untilDaemonReady } from './daemon.ts'
import { execOk, launch } from './exec.ts'
import { pushImages } from './image-push.ts'
import { nodeTags } from './image-recipe.ts'
import { labPath } from './paths.ts'
import { until } from './poll.ts'

/** Serves the built images. The cached store stays as it was built: what a lab writes lies in an overlay. */
export async function startRegistry(): Promise<void> {
  const lower = await imageStore()
  const [upper, work, store] = ['upper', 'work', 'store'].map((name) => labPath('registry', name))
  if (upper === undefined || work === undefined || store === undefined)
    throw new Error('internal error: paths')
  for (const path of [upper, work, store]) await ensureDir(path)
  const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
  await execOk(['mount', '-t', 'overlay', 'lab-registry', '-o', layers, store])
  const config = labPath('registry/config.json')
  await writeFile(config, registryConfig(store, { addr: `${registryAddress}:${registryPort}` }))
  await startDaemon('registry', ['docker-registry', 'serve', config])
  const proxy = [pinnedNode, join(import.meta.dirname, 'registry-proxy.ts'), controlSocket()]
  await startDaemon('registry-proxy', proxy)
  await untilDaemonReady('registry-proxy', () => pathExists(controlSocket()))
}

// Not the Node that runs this: that one may have come from the machine.
const pinnedNode = join(import.meta.dirname, '../../node_modules/.bin/node')

export const controlSocket = (): string => labPath('registry/control.sock')

export async function registryHealthy(): Promise<boolean> {
  const alive = await Promise.all(['registry', 'registry-proxy'].map(daemonAlive))
  return !alive.includes(false)
}

/** Changes with anything that the images are made of. */
export const imagesKey = async (): Promise<string> => cacheKey(await recipe())

/** A registry's storage directory with every image in it, built once per recipe. */
async function imageStore(): Promise<string> {
  return await cached('images', await recipe(), async (target) => {
    await remove(target)
    await mkdir(target)
    const socket = join(target, 'registry.sock')
    const config = join(target, 'config.json')
    await writeFile(config, registryConfig(target, { net: 'unix', addr: socket }))
    // If this process is killed, so is the registry.
    const registry = launch(['setpriv', '--pdeathsig', 'KILL', 'docker-registry', 'serve', config])
    try {
      await until('the registry', () => pathExists(socket))
      await pushImages(socket)
    } finally {
      registry.kill()
    }
    await Promise.all([rm(config), remove(socket)])
  })
}

/** All that the images are made of: the scripts, the recipe's code and the Debian packages' versions. */
async function recipe(): Promise<unknown[]> {
  const root = join(import.meta.dirname, 'image/rootfs')
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const scripts = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const code = [
    'cni-images.ts',
    'cni-plugin.s',
    'cni-plugin.ts',
    'controllers-images.ts',
    'image-layers.ts',
    'image-push.ts',
    'image-recipe.ts',
    'install-cni.sh',
  ].map((name) => join(import.meta.dirname, name))
  const files = await Promise.all([...scripts.sort(), ...code].map((path) => readFile(path, 'utf8')))
  const versions = await execOk([
    'dpkg-query',
    '-W',
    '-f',
    '${Version} ',
    'bird',
    'runit',
    'busybox-static',
    'containernetworking-plugins',
    'libc6',
  ])
  return [versions, nodeTags, cniTags, controllersTags, files]
}

// docker-registry reads YAML, of which JSON is a part.
const registryConfig = (rootdirectory: string, http: object): string =>
  JSON.stringify({
    version: 0.1,
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory }, delete: { enabled: true } },
    http,
  })
