import { readRegularFile } from '../read-file.ts'

/** The part of `GET /info` that tells where images are kept. */
export interface StorageInfo {
  DockerRootDir: string
  /** Pairs of words. */
  DriverStatus?: unknown[] | null
  /** Since Docker 27. */
  Containerd?: { Address?: unknown } | null
}

const CONTAINERD_CONFIG = '/etc/containerd/config.toml'
const CONTAINERD_ROOT = '/var/lib/containerd'
const MAX_CONFIG_BYTES = 1024 * 1024

/** The directory that a pull fills: of Docker itself, or of the containerd whose image store it uses. */
export async function imageRootOf(
  { DockerRootDir, DriverStatus, Containerd }: StorageInfo,
  configFile = CONTAINERD_CONFIG,
): Promise<string> {
  const words = (DriverStatus ?? []).flat()
  if (!words.includes('io.containerd.snapshotter.v1')) return DockerRootDir
  // a containerd that dockerd starts keeps everything below dockerd's own root
  if (/\/docker\/containerd\//.test(String(Containerd?.Address))) return `${DockerRootDir}/containerd/daemon`
  const config = await readRegularFile(configFile, { maxBytes: MAX_CONFIG_BYTES }).catch(() => null)
  return rootIn(config?.toString('utf8') ?? '') ?? CONTAINERD_ROOT
}

/** `root = "/srv/containerd"`, before the first table of the file. */
function rootIn(toml: string): string | undefined {
  const [top = ''] = toml.split(/^\s*\[/m)
  return /^\s*root\s*=\s*["']([^"']+)["']/m.exec(top)?.[1]
}
