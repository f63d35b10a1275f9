import type { Leftovers } from '../core/plan/part.ts'
import type { CniConfigs } from '../ports/cni-config.ts'
import type { Docker } from '../ports/docker.ts'

export interface Existing {
  containers: { id: string; name: string }[]
  images: string[]
  files: string[]
}

interface Places {
  docker: Docker
  configs: CniConfigs
}

/** Journals show what existed: someone may have removed it since, or use it again. */
export async function findExisting(
  { containers, images, files }: Leftovers,
  { docker, configs }: Places,
): Promise<Existing> {
  const inspected = await Promise.all(containers.map((id) => docker.inspectContainer(id)))
  const known = await Promise.all(images.map((image) => docker.inspectImage(image)))
  const exist = await Promise.all(files.map((path) => configs.exists(path)))
  return {
    // a container that someone started is in use, whatever it was before
    containers: inspected.flatMap((one) =>
      one && !one.State.Running ? [{ id: one.Id, name: one.Name.replace(/^\//, '') }] : [],
    ),
    images: images.filter((_, i) => known[i] !== undefined),
    files: files.filter((_, i) => exist[i] === true),
  }
}

/** The part that still exists of what may be removed. */
export async function onlyExisting(leftovers: Leftovers, places: Places): Promise<Leftovers> {
  const { containers, images, files } = await findExisting(leftovers, places)
  return { containers: containers.map(({ id }) => id), images, files }
}
