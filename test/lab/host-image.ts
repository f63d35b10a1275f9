import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { execOk } from './exec.ts'

const packages = [
  'ca-certificates',
  'dbus',
  'docker.io',
  'iproute2',
  'iptables',
  'iputils-ping',
  'kmod',
  'less',
  'procps',
  'python3',
  'systemd',
  'systemd-sysv',
  'util-linux',
]

const customize = join(import.meta.dirname, 'host-root/customize.sh')

/** A tar of a host's root file system: Debian with systemd and Docker Engine, and without Node. */
export async function hostRootTar(): Promise<string> {
  const inputs = [packages, await readFile(customize, 'utf8')]
  return await cached('host-root', inputs, async (target) => {
    const excluded = ['doc', 'man', 'locale', 'info'].map(
      (dir) => `--dpkgopt=path-exclude=/usr/share/${dir}/*`,
    )
    await execOk([
      'mmdebstrap',
      '--variant=minbase',
      '--format=tar',
      ...excluded,
      `--include=${packages.join(',')}`,
      `--customize-hook=${customize} "$1"`,
      'bookworm',
      target,
    ])
  })
}
