import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { copy, move, remove } from 'fs-extra/esm'
import { run } from '../run.ts'
import { debianChangelog, debianVersion } from './changelog.ts'
import { configFile, description, maintainer, summary } from './metadata.ts'
import type { PackOptions } from './options.ts'
import { docDirectory, filesUnder, gzip, place, scriptText, setTimes } from './tree.ts'

const maintainerScripts = ['preinst', 'postinst', 'prerm', 'postrm']

/** Packs the tree with dpkg-deb. Resolves to the file's path. */
export async function buildDeb(tree: string, options: PackOptions): Promise<string> {
  const { root, out, version, architecture, compression, epoch } = options
  const debVersion = debianVersion(version)
  const deb = join(out, `calico-agent_${debVersion}_${architecture}.deb`)
  const staged = `${deb}.tree`
  await remove(staged)
  await copy(tree, staged)
  await placeDebianFiles(root, staged)
  const files = await filesUnder(staged)
  const control = controlFile(debVersion, architecture, await kilobytes(staged, files))
  await place(staged, 'DEBIAN/control', control)
  await place(staged, 'DEBIAN/conffiles', `${configFile}\n`)
  await place(staged, 'DEBIAN/md5sums', await md5sums(staged, files))
  for (const name of maintainerScripts)
    await place(staged, `DEBIAN/${name}`, await scriptText(root, `scripts/packaging/debian/${name}`), 0o755)
  await setTimes(staged, epoch)
  const argv = ['--root-owner-group', `-Z${compression}`, ...level(compression), '--build', staged, deb]
  run('dpkg-deb', argv, { env: { SOURCE_DATE_EPOCH: String(epoch) } })
  await remove(staged)
  return deb
}

/** What only Debian asks for. */
async function placeDebianFiles(root: string, staged: string): Promise<void> {
  const [changelog = '', overrides = ''] = await Promise.all(
    ['CHANGELOG.md', 'scripts/packaging/debian/lintian-overrides'].map((path) =>
      readFile(join(root, path), 'utf8'),
    ),
  )
  // Debian's zsh reads no site-functions under /usr
  const zsh = join(staged, 'usr/share/zsh')
  await move(join(zsh, 'site-functions'), join(zsh, 'vendor-completions'))
  await place(staged, `${docDirectory}/changelog.gz`, gzip(debianChangelog(changelog, maintainer)))
  await place(staged, 'usr/share/lintian/overrides/calico-agent', overrides)
}

/** xz at its best takes 60 s of one core for 110 MB; a level that takes 12 s is 5 MB larger. */
const level = (compression: PackOptions['compression']): string[] => (compression === 'xz' ? ['-z1'] : [])

/**
 * Versions of what Node 24 links against: GLIBC_2.28, GLIBCXX_3.4.21. flock is in util-linux, which is essential. Docker is
 * only suggested: apt installs and starts what is recommended, also beside a Docker that no package brought.
 */
const controlFile = (
  version: string,
  architecture: string,
  installedKilobytes: number,
): string => `Package: calico-agent
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${installedKilobytes}
Depends: libc6 (>= 2.28), libstdc++6 (>= 5), libgcc-s1 | libgcc1, iproute2
Suggests: docker.io | docker-ce | docker-engine
Section: admin
Priority: optional
Description: ${summary}
${description.replaceAll(/^/gm, ' ')}
`

async function kilobytes(tree: string, files: string[]): Promise<number> {
  const sizes = await Promise.all(
    files.map(async (path) => Math.ceil((await stat(join(tree, path))).size / 1024)),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** dpkg --verify compares with them; conffiles have sums of dpkg's own. */
async function md5sums(tree: string, files: string[]): Promise<string> {
  const lines = files
    .filter((path) => `/${path}` !== configFile)
    .map(async (path) => {
      const sum = createHash('md5').update(await readFile(join(tree, path)))
      return `${sum.digest('hex')}  ${path}\n`
    })
  return (await Promise.all(lines)).join('')
}
