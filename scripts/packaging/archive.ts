import { join } from 'node:path'
import { copy, remove } from 'fs-extra/esm'
import { run } from '../run.ts'
import type { PackOptions } from './options.ts'
import { place, scriptText, setTimes } from './tree.ts'

/** A tar of the tree, scripts/install, and the texts that the packages have in forms of their own. Resolves to its path. */
export async function buildArchive(tree: string, options: PackOptions): Promise<string> {
  const { root, out, version, architecture, compression, epoch } = options
  const name = `calico-agent-${version}`
  // gzip for xz as well: a host without apt may have no xz.
  const [suffix, program] =
    compression === 'none' ? ['tar', []] : ['tar.gz', ['--use-compress-program=gzip -n']]
  const archive = join(out, `${name}-linux-${architecture}.${suffix}`)
  const staged = `${archive}.tree`
  await remove(staged)
  await copy(tree, join(staged, 'package'))
  await place(staged, 'install', await scriptText(root, 'scripts/install'), 0o755)
  for (const text of ['CHANGELOG.md', 'LICENSE']) await copy(join(root, text), join(staged, text))
  await setTimes(staged, epoch)
  const layout = ['--format=ustar', '--owner=root:0', '--group=root:0', '--mode=go=rX,u+rw', '--sort=name']
  run('tar', [
    '--create',
    ...program,
    `--file=${archive}`,
    ...layout,
    `--transform=s,^[.],${name},`,
    `--directory=${staged}`,
    '.',
  ])
  await remove(staged)
  return archive
}
