/** Packs what `scripts/build.ts` left, for Debian, for Red Hat's kin and for other hosts: `scripts/package --help`. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureDir, readJson, remove } from 'fs-extra/esm'
import { type Architecture, architectures, isArchitecture } from './building/architecture.ts'
import { buildArchive } from './packaging/archive.ts'
import { epochOf, releaseOf } from './packaging/changelog.ts'
import { buildDeb } from './packaging/deb.ts'
import { compressions, isCompression, type PackOptions } from './packaging/options.ts'
import { buildRpm } from './packaging/rpm.ts'
import { stageTree } from './packaging/tree.ts'
import { runScript } from './run.ts'

const root = resolve(import.meta.dirname, '..')

const builders = { deb: buildDeb, rpm: buildRpm, archive: buildArchive }
type Format = keyof typeof builders
const isFormat = (word: string): word is Format => Object.hasOwn(builders, word)

const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'dist') },
    from: { type: 'string', default: join(root, 'dist') },
    arch: { type: 'string', multiple: true, default: ['amd64'] },
    format: { type: 'string', multiple: true, default: Object.keys(builders) },
    compression: { type: 'string', default: 'xz' },
  },
})

async function pack(
  architecture: Architecture,
  formats: Format[],
  compression: PackOptions['compression'],
): Promise<void> {
  const [out, built] = [resolve(options.out), resolve(options.from)]
  await ensureDir(out)
  const { version } = (await readJson(join(root, 'package.json'))) as { version: string }
  const epoch = epochOf(releaseOf(await readFile(join(root, 'CHANGELOG.md'), 'utf8'), version))
  const tree = join(out, architecture === 'amd64' ? 'package' : `package-${architecture}`)
  await remove(tree)
  await stageTree(root, built, architecture, tree)
  const packing = { root, built, out, version, architecture, compression, epoch }
  for (const format of formats) console.log(`built ${await builders[format](tree, packing)}`)
}

const { arch, format, compression } = options
if (!arch.every(isArchitecture)) {
  refuse('architecture', arch, architectures)
} else if (!format.every(isFormat)) {
  refuse('format', format, Object.keys(builders))
} else if (!isCompression(compression)) {
  refuse('compression', [compression], compressions)
} else {
  await runScript(async () => {
    for (const architecture of arch) await pack(architecture, format, compression)
  })
}

function refuse(what: string, words: string[], known: readonly string[]): void {
  const unknown = words.filter((word) => !known.includes(word))
  console.error(`no such ${what}: ${unknown.join(', ')}; there are ${known.join(', ')}`)
  process.exitCode = 2
}
