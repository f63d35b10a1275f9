/**
 * Builds the agent: `dist/agent.cjs` and its chunks, for hosts that have Node, and from them `dist/agent`, one executable
 * that brings the pinned Node along and needs only the C and C++ libraries that every Debian has.
 */
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Metafile } from 'esbuild'
import { ensureDir, readJson, writeJson } from 'fs-extra/esm'
import { type Architecture, architectures, executableName, isArchitecture } from './building/architecture.ts'
import { bundle, chunks } from './building/bundle.ts'
import { buildExecutable } from './building/executable.ts'
import { run, runScript } from './run.ts'

const root = resolve(import.meta.dirname, '..')

const usage = `Usage: node scripts/build.ts [--entry FILE] [--out DIR] [--arch ARCH]... [--bundle-only]

  --entry FILE    module to build (default agent/main.ts)
  --out DIR       where agent.cjs and agent are written (default dist)
  --arch ARCH     amd64 (writes agent), arm64 (writes agent-arm64), or each once (default amd64)
  --bundle-only   stop after agent.cjs`

async function stage(file: string, work: () => Promise<void>): Promise<void> {
  const start = performance.now()
  await work()
  const megabytes = (await stat(file)).size / 1e6
  console.log(
    `built ${file}: ${megabytes.toFixed(2)} MB in ${((performance.now() - start) / 1000).toFixed(1)} s`,
  )
}

async function buildBundles(entry: string, out: string, version: string): Promise<void> {
  const metafiles: Metafile[] = []
  for (const [name, source] of Object.entries({ 'agent.cjs': entry, ...chunks })) {
    const file = join(out, name)
    await stage(file, async () => void metafiles.push(await bundle(root, source, file, version)))
  }
  const inputs = Object.fromEntries(metafiles.flatMap((metafile) => Object.entries(metafile.inputs)))
  await writeJson(join(out, 'agent.meta.json'), { inputs })
}

async function buildExecutables(wanted: Architecture[], out: string, version: string): Promise<void> {
  for (const architecture of wanted) {
    const executable = join(out, executableName(architecture))
    await stage(executable, () => buildExecutable(root, join(out, 'agent.cjs'), architecture, executable))
    if (architecture !== 'amd64') continue // this machine runs no other
    const said = run(executable, ['--version']).trim()
    if (said !== version) throw new Error(`${executable} --version says "${said}", not ${version}`)
    console.log(`runs: agent ${version}`)
  }
}

const { values: options } = parseArgs({
  options: {
    entry: { type: 'string', default: join(root, 'agent/main.ts') },
    out: { type: 'string', default: join(root, 'dist') },
    arch: { type: 'string', multiple: true, default: ['amd64'] },
    'bundle-only': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (options.help) {
  console.log(usage)
} else if (options.arch.every(isArchitecture)) {
  const { arch, entry } = options
  await runScript(async () => {
    const { version } = (await readJson(join(root, 'package.json'))) as { version: string }
    const out = resolve(options.out)
    await ensureDir(out)
    await buildBundles(resolve(entry), out, version)
    if (!options['bundle-only']) await buildExecutables(arch, out, version)
  })
} else {
  console.error(`no such architecture: ${options.arch.join(', ')}; there are ${architectures.join(', ')}`)
  process.exitCode = 2
}
