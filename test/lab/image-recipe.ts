export type NodeTag = {
  tag: string
  version: string
  /** The way in which it is bad; the shell scripts of the image act on it. */
  flavour?: string
  architecture?: 'arm64'
  /** Bytes that do not compress, spread over a few layers. */
  ballast?: number
}

const bad = (tag: string): NodeTag => ({ tag, version: 'v2.6.12', flavour: tag })

/** Every image of calico/node in the lab's registry. */
export const nodeTags: readonly NodeTag[] = [
  { tag: 'v2.6.5', version: 'v2.6.5' },
  { tag: 'v2.6.12', version: 'v2.6.12' },
  ...['v3.15.5', 'v3.17.6', 'v3.20.0', 'v3.26.1'].map((version) => ({ tag: version, version })),
  // What it is, only its label tells.
  { tag: 'latest', version: 'v3.9.0' },
  bad('exits-at-once'),
  bad('crashes-after-3s'),
  bad('no-bird'),
  bad('late-bird'),
  bad('no-peers'),
  bad('felix-unhealthy'),
  bad('felix-crashes'),
  bad('term-to-bird'),
  bad('ignores-term'),
  { tag: 'big', version: 'v2.6.12', ballast: 300 * 1024 * 1024 },
  { ...bad('wrong-arch'), architecture: 'arm64' },
]

/** What an image sets when the operator sets nothing: it differs from version to version on purpose. */
export function imageDefaults(version: string): { env: string[]; labels: Record<string, string> } {
  return {
    env: [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      `LAB_IMAGE_DEFAULT=of-${version}`,
      // It needs no datastore; ETCD_ENDPOINTS gives it one to wait for.
      'DATASTORE_TYPE=none',
      `LAB_DEFAULT_SINCE_${version.replaceAll(/\W/g, '_').toUpperCase()}=yes`,
    ],
    labels: {
      'org.opencontainers.image.title': 'calico/node (stand-in of the lab)',
      'org.opencontainers.image.version': version,
    },
  }
}
