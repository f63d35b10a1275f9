import { chmod, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { outputFile } from 'fs-extra/esm'
import { defaultConfig } from './default-config.ts'
import { manPage } from './man-page.ts'
import { notices } from './notices.ts'
import { run } from './run.ts'

const doc = 'usr/share/doc/calico-agent'

/** Puts everything that a host gets under `tree`, as it lies there. Resolves to the agent's version. */
export async function stageTree(root: string, tree: string): Promise<string> {
  const executable = join(root, 'dist/agent')
  const version = run(executable, ['--version']).trim()
  const help = (...argv: string[]): string => run(executable, [...argv, '--help'])
  const text = (path: string): Promise<string> => readFile(join(root, path), 'utf8')
  const [configuration, commands, changelog] = await Promise.all(
    ['docs/configuration.md', 'docs/commands.md', 'CHANGELOG.md'].map(text),
  )
  await place(tree, 'usr/bin/calico-agent', await readFile(executable), 0o755)
  await place(tree, 'etc/calico-agent/agent.yaml', defaultConfig(configuration ?? ''))
  await place(tree, 'usr/share/man/man1/calico-agent.1.gz', gzipSync(manPage(version, commands ?? '', help)))
  await place(tree, `${doc}/changelog.gz`, gzipSync(changelog ?? ''))
  await place(tree, `${doc}/copyright`, await notices(root))
  await placeUnits(root, tree)
  await placeCompletions(tree)
  return version
}

async function placeUnits(root: string, tree: string): Promise<void> {
  const names = (await readdir(join(root, 'systemd'))).filter((name) => /\.(service|timer)$/.test(name))
  for (const name of names) {
    await place(tree, `usr/lib/systemd/system/${name}`, await readFile(join(root, 'systemd', name)))
  }
}

/** `calico-agent` is the name that the package owns: it is asked by this name for its scripts. */
async function placeCompletions(tree: string): Promise<void> {
  const installed = join(tree, 'usr/bin/calico-agent')
  const script = (shell: string): string => run(installed, ['completion'], { SHELL: shell, ZSH_NAME: '' })
  await place(tree, 'usr/share/bash-completion/completions/calico-agent', script('bash'))
  await place(tree, 'usr/share/zsh/vendor-completions/_calico-agent', script('zsh'))
}

/** A file with its directories, all of modes that do not depend on the umask. */
async function place(tree: string, path: string, content: string | Buffer, mode = 0o644): Promise<void> {
  const file = join(tree, path)
  await outputFile(file, content)
  for (let directory = dirname(file); directory.length >= tree.length; directory = dirname(directory)) {
    await chmod(directory, 0o755)
  }
  await chmod(file, mode)
}

/** A script of the project, executable, beside or in the tree; it is self-contained: the files that it sources are included. */
export async function placeScript(root: string, name: string, to: string): Promise<void> {
  const [script = '', runs = ''] = await Promise.all(
    [name, 'scripts/packaging/runs.sh'].map((path) => readFile(join(root, path), 'utf8')),
  )
  await outputFile(
    to,
    script.replace(/^\. .*runs\.sh"?\n/m, () => runs),
  )
  await chmod(to, 0o755)
}
