import { rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { copy, pathExists, writeJson } from 'fs-extra/esm'
import { run } from '../run.ts'
import { type Architecture, nodeBinary } from './architecture.ts'
import { chunks } from './bundle.ts'

/** Marks where a Node binary looks for its embedded application; the value is fixed in Node's source. */
const seaFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

/** Debian's binutils strip the programs of one architecture each. */
const strip: Record<Architecture, string> = { amd64: 'strip', arm64: 'aarch64-linux-gnu-strip' }

/**
 * Node's single executable application: the Node binary with the bundle and its compiled code as a section. The same
 * sources make the same bytes, wherever and whenever.
 */
export async function buildExecutable(
  root: string,
  bundleFile: string,
  architecture: Architecture,
  outfile: string,
): Promise<void> {
  const node = nodeBinary(root, architecture)
  if (!(await pathExists(node)))
    throw new Error(
      `cannot build for ${architecture}: ${node} is missing\n  fix: ./scripts/package --arch ${architecture}`,
    )
  // Under a name of its own until it is whole: another script of this checkout may build or copy it meanwhile.
  const part = `${outfile}.${process.pid}`
  const blob = `${part}.blob`
  await prepareBlob(root, bundleFile, architecture, blob)
  await copy(node, part)
  // Before the injection: strip does not know the new section.
  run(strip[architecture], ['--strip-all', part])
  run(join(root, 'node_modules/.bin/postject'), [part, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', seaFuse])
  await Promise.all([rm(blob), rename(part, outfile)])
}

async function prepareBlob(
  root: string,
  bundleFile: string,
  architecture: Architecture,
  blob: string,
): Promise<void> {
  const config = `${blob}.json`
  await writeJson(config, {
    // Relative: the blob holds this path.
    main: basename(bundleFile),
    output: blob,
    assets: Object.fromEntries(Object.keys(chunks).map((name) => [name, name])),
    // Made by this machine's Node: V8 takes a code cache of its own architecture only.
    useCodeCache: architecture === 'amd64',
    disableExperimentalSEAWarning: true,
  })
  // The seed: V8's code cache holds the hashes of its strings, which have a random one otherwise.
  run(nodeBinary(root, 'amd64'), ['--random-seed=1', '--experimental-sea-config', config], {
    cwd: dirname(bundleFile),
  })
  await rm(config)
}
