import { chmod, copyFile, cp, mkdir, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cached } from '../../lab/cache.ts'
import { execOk } from '../../lab/exec.ts'
import { bundleWorker } from '../files/bundle.ts'

/** What QEMU boots: the worker of the system call trials on Debian's kernel, and nothing else. */
export interface Guest {
  kernel: string
  initrd: string
}

const KERNEL = 'linux-image-cloud-amd64'
/** In the package's directory of drivers; ext4 is part of this kernel. */
const MODULES = ['virtio/virtio_ring', 'virtio/virtio', 'virtio/virtio_pci_modern_dev'].concat([
  'virtio/virtio_pci_legacy_dev',
  'virtio/virtio_pci',
  'block/virtio_blk',
])

/** Builds the guest's memory disk in that directory: busybox, modules, this Node and the worker. */
export async function buildGuest(dir: string): Promise<Guest> {
  const { kernel, drivers } = await debianKernel()
  const root = join(dir, 'root')
  await rm(root, { recursive: true, force: true })
  for (const empty of ['dev', 'proc', 'disk', 'modules']) await mkdir(join(root, empty), { recursive: true })
  for (const module of MODULES)
    await copyFile(join(drivers, `${module}.ko`), join(root, 'modules', `${basename(module)}.ko`))
  await copyInto(root, await programPath('busybox'), '/bin/busybox')
  await copyInto(root, process.execPath, '/bin/node')
  for (const library of await librariesOf(process.execPath)) await copyInto(root, library, library)
  await bundleWorker(join(root, 'worker.cjs'))
  await copyFile(join(import.meta.dirname, 'init.sh'), join(root, 'init'))
  await chmod(join(root, 'init'), 0o755)
  const initrd = join(dir, 'initrd')
  await execOk(['sh', '-c', 'cd "$1" && find . | busybox cpio -o -H newc >"$2"', 'sh', root, initrd])
  await rm(root, { recursive: true })
  return { kernel, initrd }
}

/** Unpacked, not installed: the machine keeps its own kernel. */
async function debianKernel(): Promise<{ kernel: string; drivers: string }> {
  const depends = await execOk(['apt-cache', 'depends', '--important', KERNEL])
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1]
  if (name === undefined) throw new Error(`cannot find a kernel in ${KERNEL}: run apt-get update`)
  const version = await execOk(['apt-cache', 'show', '--no-all-versions', name])
  const dir = await cached('power-kernel', [name, /^Version: (.*)$/m.exec(version)?.[1]], async (target) => {
    await rm(target, { recursive: true, force: true })
    await mkdir(target, { recursive: true })
    await execOk(['env', `--chdir=${target}`, 'apt-get', '-oAPT::Sandbox::User=root', 'download', name])
    const [archive = ''] = await readdir(target)
    await execOk(['dpkg-deb', '--extract', join(target, archive), join(target, 'unpacked')])
    const release = name.slice('linux-image-'.length)
    await cp(join(target, 'unpacked/boot', `vmlinuz-${release}`), join(target, 'vmlinuz'))
    await cp(join(target, 'unpacked/lib/modules', release, 'kernel/drivers'), join(target, 'drivers'), {
      recursive: true,
    })
    await rm(join(target, 'unpacked'), { recursive: true })
    await rm(join(target, archive))
  })
  return { kernel: join(dir, 'vmlinuz'), drivers: join(dir, 'drivers') }
}

async function programPath(name: string): Promise<string> {
  return (await execOk(['which', name])).trim()
}

async function librariesOf(program: string): Promise<string[]> {
  return (await execOk(['ldd', program])).match(/\/\S+(?= \()/g) ?? []
}

async function copyInto(root: string, file: string, as: string): Promise<void> {
  await mkdir(dirname(join(root, as)), { recursive: true })
  await copyFile(file, join(root, as))
}
