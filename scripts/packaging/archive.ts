import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type PackOptions, run } from './run.ts'
import { placeScript } from './tree.ts'

/** A tar of the tree and of scripts/install, in one directory. Resolves to its path. */
export async function buildArchive(
  tree: string,
  { root, out, version, compression }: PackOptions,
): Promise<string> {
  const name = `calico-agent-${version}`
  // gzip for xz as well: a host without apt may have no xz.
  const [suffix, options] = compression === 'none' ? ['tar', []] : ['tar.gz', ['--gzip']]
  const archive = join(out, `${name}-linux-amd64.${suffix}`)
  const [directory, script] = [dirname(tree), join(dirname(tree), 'install')]
  await placeScript(root, 'scripts/install', script)
  const layout = ['--owner=root:0', '--group=root:0', '--sort=name', `--transform=s,^,${name}/,`]
  run('tar', [
    '--create',
    ...options,
    `--file=${archive}`,
    ...layout,
    `--directory=${directory}`,
    'install',
    'package',
  ])
  await rm(script)
  return archive
}
