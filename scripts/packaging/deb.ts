import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { remove } from 'fs-extra/esm'
import { type PackOptions, run } from './run.ts'
import { placeScript } from './tree.ts'

const maintainerScripts = ['postinst', 'prerm', 'postrm']

/** Packs the tree with dpkg-deb. Resolves to the file's path. */
export async function buildDeb(
  tree: string,
  { root, out, version, compression }: PackOptions,
): Promise<string> {
  const files = await filesUnder(tree)
  const control = join(tree, 'DEBIAN')
  await mkdir(control, { mode: 0o755 })
  for (const name of maintainerScripts)
    await placeScript(root, join('scripts/packaging/debian', name), join(control, name))
  const debVersion = version.replace('-', '~') // SemVer's pre-release sorts before the release
  await writeFile(join(control, 'control'), controlFile(debVersion, await kilobytes(files)), { mode: 0o644 })
  await writeFile(join(control, 'conffiles'), '/etc/calico-agent/agent.yaml\n', { mode: 0o644 })
  await writeFile(join(control, 'md5sums'), await md5sums(tree, files), { mode: 0o644 })
  const deb = join(out, `calico-agent_${debVersion}_amd64.deb`)
  run('dpkg-deb', ['--root-owner-group', `-Z${compression}`, ...level(compression), '--build', tree, deb])
  await remove(control)
  return deb
}

/** xz at its best takes 60 s of one core for 110 MB; a level that takes 12 s is 5 MB larger. */
const level = (compression: PackOptions['compression']): string[] => (compression === 'xz' ? ['-z1'] : [])

/** Versions of what Node 24 links against: GLIBC_2.28, GLIBCXX_3.4.21. */
const controlFile = (version: string, installedKilobytes: number): string => `Package: calico-agent
Version: ${version}
Architecture: amd64
Maintainer: Calico host agent <calico-host-agent@localhost>
Installed-Size: ${installedKilobytes}
Depends: libc6 (>= 2.28), libstdc++6 (>= 5), libgcc-s1 | libgcc1, util-linux, iproute2
Recommends: docker.io | docker-ce | docker-engine
Section: admin
Priority: optional
Description: upgrades Calico on hosts that run it in Docker themselves
 Replaces calico/node inside the window that BIRD's graceful restart leaves
 open, so that the peers keep this host's routes and the pods their traffic.
 If the new node does not get its BGP sessions back in time, the old one is
 put back. A journal on disk lets an interrupted run be finished or unwound.
`

async function filesUnder(tree: string): Promise<string[]> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

async function kilobytes(files: string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => Math.ceil((await stat(file)).size / 1024)))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** dpkg --verify compares with them; conffiles have sums of dpkg's own. */
async function md5sums(tree: string, files: string[]): Promise<string> {
  const lines = files
    .map((file) => [file, relative(tree, file)] as const)
    .filter(([, path]) => !path.startsWith('etc/'))
    .map(
      async ([file, path]) =>
        `${createHash('md5')
          .update(await readFile(file))
          .digest('hex')}  ${path}\n`,
    )
  return (await Promise.all(lines)).join('')
}
