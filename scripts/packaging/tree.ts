import { chmod, readdir, readFile, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { outputFile } from 'fs-extra/esm'
import { type Architecture, executableName } from '../building/architecture.ts'
import { run } from '../run.ts'
import { copyright } from './copyright.ts'
import { defaultConfig } from './default-config.ts'
import { manPage } from './man-page.ts'

export const docDirectory = 'usr/share/doc/calico-agent'

/**
 * Puts everything that a host gets under `tree`, as it lies there, from what `scripts/build.ts` left in `built`. All texts
 * are those of the executable of this machine: the one of another architecture has the same code.
 */
export async function stageTree(
  root: string,
  built: string,
  architecture: Architecture,
  tree: string,
): Promise<void> {
  const program = join(built, executableName('amd64'))
  const version = run(program, ['--version']).trim()
  const help = (...argv: string[]): string => run(program, [...argv, '--help'])
  const [configuration, commands] = await Promise.all(
    ['docs/configuration.md', 'docs/commands.md'].map((path) => readFile(join(root, path), 'utf8')),
  )
  await place(tree, 'usr/bin/calico-agent', await readFile(join(built, executableName(architecture))), 0o755)
  await place(tree, 'etc/calico-agent/agent.yaml', defaultConfig(configuration ?? ''))
  await place(tree, 'usr/share/man/man8/calico-agent.8.gz', gzip(manPage(version, commands ?? '', help)))
  await place(tree, `${docDirectory}/copyright`, await copyright(root, built))
  await placeUnits(root, tree)
  await placeCompletions(program, tree)
}

/** As `gzip -9n`: no name, no time. */
export const gzip = (text: string): Buffer => gzipSync(text, { level: 9 })

async function placeUnits(root: string, tree: string): Promise<void> {
  const names = (await readdir(join(root, 'systemd'))).filter((name) => /\.(service|timer)$/.test(name))
  for (const name of names) {
    await place(tree, `usr/lib/systemd/system/${name}`, await readFile(join(root, 'systemd', name)))
  }
}

/** For both names: what is called `agent` is an alternative, and its script in bash as well. */
async function placeCompletions(program: string, tree: string): Promise<void> {
  const script = (shell: string): string => run(program, ['completion', shell])
  await place(tree, 'usr/share/bash-completion/completions/calico-agent', script('bash'))
  await place(tree, 'usr/share/zsh/site-functions/_calico-agent', script('zsh'))
}

/** A file with its directories, all of modes that do not depend on the umask. */
export async function place(
  tree: string,
  path: string,
  content: string | Buffer,
  mode = 0o644,
): Promise<void> {
  const file = join(tree, path)
  await outputFile(file, content)
  for (let directory = dirname(file); directory.length >= tree.length; directory = dirname(directory)) {
    await chmod(directory, 0o755)
  }
  await chmod(file, mode)
}

/** A script of the project, self-contained: the files of scripts/packaging that it sources are included. */
export async function scriptText(root: string, name: string): Promise<string> {
  const script = await readFile(join(root, name), 'utf8')
  const sourced = [...script.matchAll(/^\. .*?([a-z]+\.sh)"?\n/gm)]
  const texts = await Promise.all(
    sourced.map(([, file = '']) => readFile(join(root, 'scripts/packaging', file), 'utf8')),
  )
  return sourced.reduce((text, [line], i) => text.replace(line, () => texts[i] ?? ''), script)
}

/** Gives everything under `tree` the time `epoch`: what a package says of its files does not depend on when it was built. */
export async function setTimes(tree: string, epoch: number): Promise<void> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true })
  await Promise.all(entries.map(({ parentPath, name }) => utimes(join(parentPath, name), epoch, epoch)))
  await utimes(tree, epoch, epoch)
}

/** Every file under `tree`, in the order of their paths, which are relative to it. */
export async function filesUnder(tree: string): Promise<string[]> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(tree.length + 1))
    .sort()
}
