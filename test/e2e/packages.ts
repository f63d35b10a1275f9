import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Host } from '../lab/index.ts'

const exec = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')

/** What `scripts/package` makes of dist/agent, and a package that is newer by its version and its default config. */
export interface Packages {
  directory: string
  version: string
  deb: string
  newerDeb: string
  archive: string
  remove(): Promise<void>
}

export async function buildPackages(): Promise<Packages> {
  const directory = await mkdtemp(join(tmpdir(), 'calico-agent-package-'))
  const [deb = '', archive = ''] = await pack(directory, ['--format', 'deb', '--format', 'archive'])
  const version = /_(.+)_amd64\.deb$/.exec(deb)?.[1] ?? ''
  const newerDeb = await newer(deb, directory)
  return { directory, version, deb, newerDeb, archive, remove: () => rm(directory, { recursive: true }) }
}

/** Resolves to the files that scripts/package.ts says it built. */
export async function pack(directory: string, options: string[], env = process.env): Promise<string[]> {
  const argv = [join(root, 'scripts/package.ts'), '--out', directory, '--compression', 'none', ...options]
  const { stdout } = await exec(process.execPath, argv, { env })
  return [...stdout.matchAll(/^built (.+)$/gm)].map(([, path = '']) => path)
}

export const newerVersion = '99.0'

async function newer(deb: string, directory: string): Promise<string> {
  const tree = join(directory, 'newer')
  await exec('dpkg-deb', ['--raw-extract', deb, tree])
  const control = join(tree, 'DEBIAN/control')
  const text = await readFile(control, 'utf8')
  await writeFile(control, text.replace(/^Version: .*$/m, `Version: ${newerVersion}`))
  await writeFile(join(tree, 'etc/calico-agent/agent.yaml'), '# the newer default\nwindow: 60\n')
  const path = join(directory, `calico-agent_${newerVersion}_amd64.deb`)
  await exec('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, path])
  await rm(tree, { recursive: true })
  return path
}

/** Copies a file to the host's /root. Resolves to its path there. */
export async function bring(host: Host, file: string): Promise<string> {
  const path = `/root/${file.split('/').at(-1) ?? ''}`
  await copyFile(file, host.root + path)
  return path
}

/** Where a host without the lab's own agent, which is in /usr/local/bin, finds its programs. */
export const packaged = { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive' } }
