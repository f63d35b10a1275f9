import type { FileAccess, GivenFile } from '../core/docker/file-access.ts'
import { envMap } from '../core/docker/health.ts'
import type { ContainerJson, MountPoint } from '../core/docker/json.ts'
import type { Docker } from '../ports/docker.ts'

const ETCD = ['ETCD_KEY_FILE', 'ETCD_CERT_FILE', 'ETCD_CA_CERT_FILE']

/** The mounted files that the controllers must read, and who may read them. Leaves out what cannot be checked. */
export async function givenFiles(container: ContainerJson, docker: Docker): Promise<GivenFile[]> {
  const env = envMap(container.Config.Env)
  const settings = ['KUBECONFIG', ...(env.get('DATASTORE_TYPE') === 'kubernetes' ? [] : ETCD)]
  const files = settings.map(async (setting): Promise<GivenFile[]> => {
    const path = env.get(setting) ?? ''
    const mount = mountOf(path, container.Mounts)
    if (mount === undefined) return []
    const chain = await Promise.all(
      pathsFrom(mount.Destination, path).map((one) => accessOf(container.Id, one, docker)),
    )
    const known = chain.filter((access) => access !== undefined)
    const hostPath = `${mount.Source}${path.slice(mount.Destination.length)}`
    return known.length === chain.length ? [{ setting, path, hostPath, chain: known }] : []
  })
  return (await Promise.all(files)).flat()
}

/** The innermost mount that holds the path. */
function mountOf(path: string, mounts: MountPoint[]): MountPoint | undefined {
  return mounts
    .filter(({ Destination }) => path === Destination || path.startsWith(`${Destination}/`))
    .sort((a, b) => b.Destination.length - a.Destination.length)[0]
}

/** `/a`, `/a/b` and `/a/b/c` from `/a` to `/a/b/c`. */
function pathsFrom(mount: string, path: string): string[] {
  const names = path
    .slice(mount.length)
    .split('/')
    .filter((name) => name !== '')
  return [mount, ...names.map((_, i) => `${mount}/${names.slice(0, i + 1).join('/')}`)]
}

async function accessOf(id: string, path: string, docker: Docker): Promise<FileAccess | undefined> {
  try {
    return await docker.fileAccess(id, path)
  } catch {
    return undefined
  }
}
