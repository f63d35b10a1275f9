import { join } from 'node:path'
import { readJson } from 'fs-extra/esm'

/** What the bundler read, as esbuild's metafile says it. */
interface Metafile {
  inputs: Record<string, unknown>
}

/** An npm package whose code is in the bundle. */
export interface Bundled {
  /** In the project: node_modules/NAME, or deeper. */
  directory: string
  name: string
  version: string
  license?: string
  author?: string | { name: string }
  dependencies?: Record<string, string>
}

/** The packages of the bundle that `scripts/build.ts` left in `built`, in the order of their directories. */
export async function bundledPackages(root: string, built: string): Promise<Bundled[]> {
  const { inputs } = (await readJson(join(built, 'agent.meta.json'))) as Metafile
  const directories = packageDirectories(Object.keys(inputs))
  return await Promise.all(directories.map((directory) => packageIn(root, directory)))
}

export async function packageIn(root: string, directory: string): Promise<Bundled> {
  const manifest = (await readJson(join(root, directory, 'package.json'))) as Omit<Bundled, 'directory'>
  return { ...manifest, directory }
}

/** Directories of the packages that hold these files, nested ones included, each once. */
export function packageDirectories(inputs: string[]): string[] {
  const found = inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [])
  return [...new Set(found)].sort()
}
