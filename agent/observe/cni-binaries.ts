import { imageVersion } from '../core/docker/health.ts'
import { mustPull } from '../core/docker/image-state.ts'
import { AgentError, type Problem } from '../core/errors.ts'
import type { InstalledPlugin, ObservedCni, ObservedImage } from '../core/model.ts'
import { isInstalled } from '../core/plan/cni.ts'
import { askedVersion } from '../core/release/node-versions.ts'
import type { CniSource, WantedCni } from '../core/wanted.ts'
import type { CniBinaries, StagedFacts } from '../ports/cni-binaries.ts'

/** The plugins' content by the id of the image that had them, as earlier runs found it. */
export type KnownContent = (imageId: string, names: string[]) => StagedFacts[] | null

interface Look {
  wanted: WantedCni & { source: CniSource }
  image: ObservedImage | null
  known: KnownContent
  /** The config will let the nodename file be missing. */
  optionalByMerge: boolean
}

export async function observeCni(
  { wanted, image, known, optionalByMerge }: Look,
  cni: CniBinaries,
  signal: AbortSignal,
): Promise<ObservedCni> {
  const { source, binDir, binaries, configDir } = wanted
  const problems: Problem[] = []
  const directory = await cni.directoryProblem(binDir, binaries)
  if (directory) problems.push(directory)
  const [installed, offered, version, written, optional] = await Promise.all([
    directory ? [] : installedPlugins(wanted, cni),
    offeredBy({ source, names: binaries, image, known }, cni, problems, signal),
    sourceVersion(source, image, cni),
    cni.nodenameWritten(),
    optionalByMerge || cni.nodenameOptional(configDir),
  ])
  const seen = { installed, offered, version, image, nodename: { written, optional }, problems }
  if (source.kind !== 'directory' || offered === null || isInstalled(seen)) return seen
  const tried = await orProblem(() => cni.tried(source.path, binaries, signal), problems, signal)
  return { ...seen, tried: tried ?? [] }
}

export async function installedPlugins(
  { binDir, binaries }: Pick<WantedCni, 'binDir' | 'binaries'>,
  cni: CniBinaries,
): Promise<InstalledPlugin[]> {
  const facts = await cni.installed(binDir, binaries)
  return await Promise.all(
    facts.map(async ({ name, sha256 }) => {
      return { name, sha256, version: sha256 === null ? null : await cni.version(`${binDir}/${name}`) }
    }),
  )
}

/** Copies from an image only if no earlier run did: its id identifies its content. */
async function offeredBy(
  { source, names, image, known }: Pick<Look, 'image' | 'known'> & { source: CniSource; names: string[] },
  cni: CniBinaries,
  problems: Problem[],
  signal: AbortSignal,
): Promise<StagedFacts[] | null> {
  if (image && (image.local === null || mustPull(image))) return null
  const before = image?.local ? known(image.local.Id, names) : null
  if (before) return before
  return await orProblem(() => cni.offered(source, names, signal), problems, signal)
}

/** A fault of the source is one problem among others. */
async function orProblem<T>(
  look: () => Promise<T>,
  problems: Problem[],
  signal: AbortSignal,
): Promise<T | null> {
  try {
    return await look()
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof AgentError) || error.code.startsWith('docker-')) throw error
    problems.push(error.asProblem())
    return null
  }
}

/** A directory's plugin can be asked; an archive has only its name. */
async function sourceVersion(
  source: CniSource,
  image: ObservedImage | null,
  cni: CniBinaries,
): Promise<string | null> {
  if (image) return askedVersion(image)
  if (source.kind === 'archive')
    return imageVersion(/v\d+\.\d+\.\d+/.exec(source.path.split('/').at(-1) ?? '')?.[0] ?? null, null)
  return source.kind === 'directory'
    ? imageVersion(await cni.calicoVersion(`${source.path}/calico`), null)
    : null
}
