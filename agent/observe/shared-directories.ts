import type { ContainerJson } from '../core/docker/json.ts'
import type { Bird } from '../ports/bird.ts'

/** The directories of the host that a container mounts, by bind mounts and volumes. */
export interface SharedDirectories {
  /** The file is in one of them, or below. */
  contain: (path: string) => Promise<boolean>
  /** The file's directory is one of them. */
  are: (path: string) => Promise<boolean>
}

/** Paths are compared without symlinks: /var/run is one to /run. */
export async function sharedDirectories(
  { Mounts }: ContainerJson,
  bird: Pick<Bird, 'realPath'>,
): Promise<SharedDirectories> {
  const sources = Mounts.map(({ Source }) => Source).filter((source) => source !== '')
  const directories = await Promise.all(sources.map((source) => bird.realPath(source)))
  const directoryOf = (path: string): Promise<string> =>
    bird.realPath(path.slice(0, path.lastIndexOf('/')) || '/')
  return {
    contain: async (path) => {
      const inner = withSlash(await directoryOf(path))
      return directories.some((directory) => inner.startsWith(withSlash(directory)))
    },
    are: async (path) => directories.includes(await directoryOf(path)),
  }
}

function withSlash(directory: string): string {
  return directory.endsWith('/') ? directory : `${directory}/`
}
