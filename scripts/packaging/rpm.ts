import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { copy, ensureDir, remove } from 'fs-extra/esm'
import type { Architecture } from '../building/architecture.ts'
import { run } from '../run.ts'
import { bundledPackages } from './bundled.ts'
import { debianVersion, rpmChangelog } from './changelog.ts'
import { configFile, description, maintainer, summary } from './metadata.ts'
import type { PackOptions } from './options.ts'
import { docDirectory, filesUnder, place, scriptText, setTimes } from './tree.ts'

const scriptlets = ['post', 'preun', 'postun']

const rpmArchitecture: Record<Architecture, string> = { amd64: 'x86_64', arm64: 'aarch64' }

/** What the rpm of RHEL 8 reads: it has no zstd. */
const payload: Record<PackOptions['compression'], string> = {
  xz: 'w1.xzdio',
  gzip: 'w6.gzdio',
  none: 'w.ufdio',
}

const licenseDirectory = 'usr/share/licenses/calico-agent'

/** Packs the tree with rpmbuild, for RHEL 8 and 9 and their kin. Resolves to the file's path. */
export async function buildRpm(tree: string, options: PackOptions): Promise<string> {
  const { root, out, version, architecture, epoch } = options
  const name = `calico-agent-${debianVersion(version)}-1.${rpmArchitecture[architecture]}.rpm`
  const work = join(out, `${name}.build`)
  const staged = join(work, 'tree')
  await remove(work)
  await copy(tree, staged)
  await placeRpmFiles(root, staged)
  await setTimes(staged, epoch)
  await writeFile(join(work, 'calico-agent.spec'), await spec(staged, options))
  await ensureDir(join(work, 'tmp'))
  const target = `--target=${rpmArchitecture[architecture]}-linux`
  run('rpmbuild', ['-bb', target, ...defines(work, out, options), join(work, 'calico-agent.spec')], {
    env: { SOURCE_DATE_EPOCH: String(epoch) },
  })
  await remove(work)
  return join(out, name)
}

/** What Red Hat's presets enable: the same units as on Debian, unless a preset of the host says no. */
async function placeRpmFiles(root: string, staged: string): Promise<void> {
  await place(staged, `${licenseDirectory}/LICENSE`, await readFile(join(root, 'LICENSE')))
  const preset = enabledAtFirst(await units(staged)).map((unit) => `enable ${unit}\n`)
  await place(staged, 'usr/lib/systemd/system-preset/90-calico-agent.preset', preset.join(''))
}

const units = async (staged: string): Promise<string[]> =>
  (await filesUnder(staged)).flatMap((path) => /\/system\/(.*)$/.exec(path)?.[1] ?? [])

/** The timer of the metrics is for those who want it, and its service is started by it alone. */
const enabledAtFirst = (all: string[]): string[] => all.filter((unit) => !unit.includes('metrics'))

const defines = (work: string, out: string, { compression }: PackOptions): string[] =>
  Object.entries({
    _topdir: work,
    _tmppath: join(work, 'tmp'),
    _rpmdir: out,
    _rpmfilename: '%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm',
    _binary_payload: payload[compression],
    // SHA-256: a host in FIPS mode takes no MD5. By Debian's default it is MD5.
    _binary_filedigest_algorithm: '8',
    // The bytes do not depend on the machine and the day.
    _buildhost: 'localhost',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
    // What rpmbuild does to programs would cut the agent off the Node that runs it.
    __os_install_post: '%{nil}',
    debug_package: '%{nil}',
    _build_id_links: 'none',
  }).flatMap(([name, value]) => ['--define', `${name} ${value}`])

/** Its C and C++ libraries are required by rpmbuild itself, which reads their versions in the executable. */
async function spec(staged: string, { root, built, version }: PackOptions): Promise<string> {
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8')
  const bodies = await Promise.all(scriptlets.map((name) => scriptlet(root, staged, name)))
  return `Name: calico-agent
Version: ${debianVersion(version)}
Release: 1
Summary: ${summary}
License: ${await licenses(root, built)}
Packager: ${maintainer}
Requires: iproute, util-linux
Requires(post): /usr/sbin/update-alternatives, systemd
Requires(preun): /usr/sbin/update-alternatives, systemd, util-linux
Suggests: docker-ce

%description
${description}

%install
cp -a ${staged}/. %{buildroot}/

${bodies.join('\n')}
%files
%defattr(-,root,root,-)
%dir /etc/calico-agent
%dir /${docDirectory}
%dir /${licenseDirectory}
${(await filesUnder(staged)).map(fileEntry).join('\n')}

%changelog
${escaped(rpmChangelog(changelog, maintainer))}`
}

/** All that apply at once, as SPDX has it. */
async function licenses(root: string, built: string): Promise<string> {
  const bundled = await bundledPackages(root, built)
  const named = bundled.flatMap(({ license = [] }) => license)
  return [...new Set(['Apache-2.0', 'MIT', ...named])].sort().join(' AND ')
}

function fileEntry(path: string): string {
  if (`/${path}` === configFile) return `%config(noreplace) ${configFile}`
  return path.startsWith(licenseDirectory) ? `%license /${path}` : `/${path}`
}

async function scriptlet(root: string, staged: string, name: string): Promise<string> {
  const text = await scriptText(root, `scripts/packaging/rpm/${name}`)
  const all = await units(staged)
  const lists = `units="${all.join(' ')}"\nenabled_at_first="${enabledAtFirst(all).join(' ')}"\n`
  const body = text.replace('#!/bin/sh\n', lists)
  return `%${name}\n${escaped(body)}`
}

/** A macro of rpm's begins with a percent sign. */
const escaped = (text: string): string => text.replaceAll('%', '%%')
