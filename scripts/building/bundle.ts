import { join, resolve } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'

/**
 * dockerode's ways to reach an Engine over SSH or BuildKit: unused here, half native, more than half of its weight. And
 * node-fetch, which no call of the agent's goes through: it loads `punycode`, which Node 24 warns of on stderr.
 */
const unusedPackages = /^(node-fetch|ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs|supports-color)(\/|$)/

const emptyUnusedPackages: Plugin = {
  name: 'empty-unused-packages',
  setup(bundler) {
    bundler.onResolve({ filter: unusedPackages }, ({ path }) => ({ path, namespace: 'empty' }))
    bundler.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/** Modules that few hosts need. Each is a file of its own, and an asset of the executable: it costs nothing until it is imported. */
export const chunks = { 'agent-kubernetes.cjs': 'agent/adapters/kubernetes/client.ts' }

/** What an `import()` of a chunk becomes: an executable has its files inside. */
const loadChunk = (name: string): string => `
const { getAsset, isSea } = require('node:sea')
const { readFileSync } = require('node:fs')
const { compileFunction } = require('node:vm')
const source = isSea() ? getAsset('${name}', 'utf8') : readFileSync(require('node:path').join(__dirname, '${name}'), 'utf8')
compileFunction(source, ['module', 'exports', 'require', '__filename'])(module, module.exports, require, __filename)`

const splitChunks = (root: string): Plugin => ({
  name: 'split-chunks',
  setup(bundler) {
    bundler.onResolve({ filter: /^[.]/ }, ({ path, resolveDir, kind }) => {
      const wanted = resolve(resolveDir, path)
      const name = Object.entries(chunks).find(([, file]) => join(root, file) === wanted)?.[0]
      return name === undefined || kind !== 'dynamic-import' ? null : { path: name, namespace: 'chunk' }
    })
    bundler.onLoad({ filter: /.*/, namespace: 'chunk' }, ({ path }) => ({ contents: loadChunk(path) }))
  },
})

/** Returns the metafile: which packages are in the bundle, whose licences go where it goes. */
export async function bundle(
  root: string,
  entry: string,
  outfile: string,
  version: string,
): Promise<Metafile> {
  const { metafile } = await build({
    // Paths in the bundle and in the metafile are of the project, wherever it is and is built from.
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    metafile: true,
    // Class names are part of what errors and logs say. Short names with keepNames take a call a function at each start.
    minifyWhitespace: true,
    minifySyntax: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    define: {
      AGENT_VERSION: JSON.stringify(version),
      // CJS has no import.meta: packages learn where the bundle is; resolving is for a yargs option not used here.
      'import.meta.url': 'bundleUrl',
      'import.meta.resolve': 'undefined',
    },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    legalComments: 'none',
    plugins: [emptyUnusedPackages, splitChunks(root)],
    logLevel: 'warning',
    logOverride: { 'empty-import-meta': 'error', 'require-resolve-not-external': 'silent' },
  })
  return metafile
}
