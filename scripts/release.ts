/** Builds a release twice, compares and checks what it made: `scripts/release --help`. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { ensureDir, pathExists, readJson } from 'fs-extra/esm'
import { epochOf, hasUnreleased, releaseOf, releases } from './packaging/changelog.ts'
import { sbom } from './packaging/sbom.ts'
import { checkDeb, checkRpm, checkSbom, runArm64, sha256 } from './releasing/checks.ts'
import { run, runScript } from './run.ts'

const exec = promisify(execFile)
const root = resolve(import.meta.dirname, '..')
const both = ['--arch', 'amd64', '--arch', 'arm64']

/** Resolves to the version that package.json and CHANGELOG.md agree on. */
async function checkSources(): Promise<{ version: string; epoch: number }> {
  const { version } = (await readJson(join(root, 'package.json'))) as { version: string }
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8')
  const release = releaseOf(changelog, version)
  if (releases(changelog)[0]?.version !== version)
    throw new Error(`cannot release ${version}: CHANGELOG.md has a newer release`)
  if (hasUnreleased(changelog))
    throw new Error(
      `cannot release ${version}: CHANGELOG.md has unreleased changes\n  fix: move them into the section of ${version}, or of a new version that package.json names as well`,
    )
  if (await pathExists(join(root, '.git'))) {
    const changed = run('git', ['-C', root, 'status', '--porcelain'])
    if (changed !== '') throw new Error(`cannot release ${version}: not all is committed\n${changed}`)
  }
  return { version, epoch: epochOf(release) }
}

/** Both architectures and their packages. Resolves to the packages. */
async function build(out: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  await ensureDir(out)
  const options = { env: { ...process.env, ...env }, cwd: out, maxBuffer: 2 ** 26 }
  const script = (name: string, ...argv: string[]): Promise<{ stdout: string }> =>
    exec(process.execPath, [join(root, 'scripts', name), ...both, '--out', out, ...argv], options)
  await script('build.ts')
  const { stdout } = await script('package.ts', '--from', out)
  return [...stdout.matchAll(/^built (.+)$/gm)].map(([, file = '']) => file)
}

/** A second build, elsewhere and as somebody else would make it. */
async function compare(files: string[]): Promise<void> {
  const out = await mkdtemp(join(tmpdir(), 'calico-agent-release-'))
  const umask = process.umask(0o077)
  try {
    await build(out, { TZ: 'Pacific/Kiritimati', LC_ALL: 'C', HOME: out })
    for (const file of files) {
      const again = join(out, basename(file))
      if ((await sha256(again)) !== (await sha256(file)))
        throw new Error(`cannot release: two builds differ in ${basename(file)}`)
    }
  } finally {
    process.umask(umask)
    await rm(out, { recursive: true })
  }
}

function checkFiles(files: string[], out: string, version: string): void {
  for (const file of files) {
    if (file.endsWith('.deb')) checkDeb(file)
    if (file.endsWith('.rpm')) checkRpm(file)
  }
  const said = runArm64(join(out, 'agent-arm64'), '--version').trim()
  if (said !== version)
    throw new Error(`cannot release: agent-arm64 --version says "${said}", not ${version}`)
  runArm64(
    join(out, 'agent-arm64'),
    'config',
    'check',
    join(out, 'package-arm64/etc/calico-agent/agent.yaml'),
  )
}

async function writeSums(files: string[], out: string): Promise<void> {
  const lines = await Promise.all(files.map(async (file) => `${await sha256(file)}  ${basename(file)}\n`))
  await writeFile(join(out, 'SHA256SUMS'), lines.sort().join(''))
  run('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: out })
}

async function stage<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await work()
  console.log(`${name}: ok (${((performance.now() - start) / 1000).toFixed(0)} s)`)
  return result
}

async function release(out: string): Promise<void> {
  const { version, epoch } = await stage('sources', checkSources)
  const packages = await stage('build', () => build(out, {}))
  await stage('the same bytes again', () => compare(packages))
  const bill = join(out, `calico-agent-${version}.cdx.json`)
  await stage('SBOM', async () => {
    await writeFile(bill, await sbom(root, out, version, epoch))
    await checkSbom(bill)
  })
  await stage('lintian, rpm, arm64', () => {
    checkFiles(packages, out, version)
  })
  await stage('SHA256SUMS', () => writeSums([...packages, bill], out))
  for (const file of [...packages, bill, join(out, 'SHA256SUMS')])
    console.log(`${file}  ${((await stat(file)).size / 1e6).toFixed(1)} MB`)
}

const { values: options } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist') } } })
await runScript(() => release(resolve(options.out)))
