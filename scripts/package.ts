/** Packs dist/agent, which `scripts/build.ts` left, for Debian and for hosts without apt: `scripts/package --help`. */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { remove } from 'fs-extra/esm'
import { buildArchive } from './packaging/archive.ts'
import { buildDeb } from './packaging/deb.ts'
import { compressions, isCompression, type PackOptions } from './packaging/run.ts'
import { stageTree } from './packaging/tree.ts'

const root = resolve(import.meta.dirname, '..')

const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'dist') },
    compression: { type: 'string', default: 'xz' },
  },
})

async function packAll(compression: PackOptions['compression']): Promise<void> {
  const out = resolve(options.out)
  const tree = join(out, 'package')
  await remove(tree)
  const version = await stageTree(root, tree)
  const packing = { root, out, version, compression }
  console.log(`built ${await buildDeb(tree, packing)}`)
  console.log(`built ${await buildArchive(tree, packing)}`)
}

if (isCompression(options.compression)) {
  await packAll(options.compression)
} else {
  console.error(`no such compression: ${options.compression}; there are ${compressions.join(', ')}`)
  process.exitCode = 2
}
