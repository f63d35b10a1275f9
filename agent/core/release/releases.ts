import semver from 'semver'

/** References of the three images that make up a release. */
export interface ReleaseImages {
  node: string
  cni: string
  controllers: string
}

/** A release as it was named, and what it consists of. */
export interface Release {
  name: string
  images: ReleaseImages
}

/** What the config says of a release; the table fills in what it leaves out. */
type Entry = { [component in keyof ReleaseImages]?: string | undefined }

/** Where the images of a release come from: the registry of the table's, and the config's own entries. */
export interface ReleaseSources {
  registry: string
  releases: Record<string, Entry>
}

/** The columns of the table. */
export const COMPONENTS = ['node', 'cni', 'controllers'] as const

/**
 * Tags of node, CNI plugin and controllers up to 3.0.9; a node of null has the release's own
 * (projectcalico/calico: _data/versions.yml of v3.8.0, and the releases of v2.0).
 */
const TABLE: [releases: string[], node: string | null, cni: string, controllers: string][] = [
  [['2.0.2'], 'v1.0.2', 'v1.5.6', 'v0.5.2'],
  [['2.1.5'], 'v1.1.3', 'v1.8.0', 'v0.5.4'],
  [['2.2.1'], 'v1.2.1', 'v1.8.3', 'v0.6.0'],
  [['2.3.0'], 'v1.3.0', 'v1.9.1', 'v0.6.0'],
  [['2.4.1', '2.5.1'], null, 'v1.10.0', 'v0.7.0'],
  [['2.6.1', '2.6.2'], null, 'v1.11.0', 'v1.0.0'],
  [['2.6.3'], null, 'v1.11.1', 'v1.0.1'],
  [['2.6.5'], null, 'v1.11.2', 'v1.0.2'],
  [['2.6.6', '2.6.7'], null, 'v1.11.2', 'v1.0.3'],
  [['2.6.8'], null, 'v1.11.4', 'v1.0.3'],
  [['2.6.9'], null, 'v1.11.5', 'v1.0.4'],
  [['2.6.10'], null, 'v1.11.6', 'v1.0.4'],
  [['2.6.11'], null, 'v1.11.7', 'v1.0.4'],
  [['2.6.12'], null, 'v1.11.8', 'v1.0.5'],
  [['3.0.1', '3.0.2'], null, 'v2.0.0', 'v2.0.0'],
  [['3.0.3'], null, 'v2.0.1', 'v2.0.1'],
  [['3.0.4'], null, 'v2.0.3', 'v2.0.2'],
  [['3.0.5'], null, 'v2.0.4', 'v2.0.3'],
  [['3.0.6', '3.0.7'], null, 'v2.0.5', 'v2.0.4'],
  [['3.0.8'], null, 'v2.0.6', 'v2.0.5'],
  [['3.0.9'], null, 'v2.0.7', 'v2.0.6'],
]

/** From here on the three have the same version, and need no row. */
const FIRST_OF_ONE_VERSION = '3.0.10'

/** The controllers were called kube-policy-controller before. */
const FIRST_KUBE_CONTROLLERS = '2.6.0'

/** Calico withdrew them. */
const WITHDRAWN = ['2.6.0', '2.6.4', '3.0.0']

const KNOWN = TABLE.flatMap(([releases]) => releases)

/** The releases that the table names, oldest first; those after them need no row. */
export function tableReleases(): string[] {
  return [...KNOWN, FIRST_OF_ONE_VERSION].map((version) => `v${version}`)
}

/** `v2.6.12` and `2.6.12` are one release: the config's own entry overrides the table. Null if neither has it. */
export function releaseImages(name: string, { registry, releases }: ReleaseSources): ReleaseImages | null {
  const images = { ...tableImages(name, registry), ...ownEntry(name, releases)?.entry }
  const { node, cni, controllers } = images
  return node !== undefined && cni !== undefined && controllers !== undefined
    ? { node, cni, controllers }
    : null
}

/** What the config has of the release, and the name by which it has it. */
export function ownEntry(
  release: string,
  releases: ReleaseSources['releases'],
): { name: string; entry: Entry } | null {
  const known = Object.entries(releases).find(([key]) => isSameRelease(key, release))
  return known ? { name: known[0], entry: known[1] } : null
}

/** `v2.6.12` and `2.6.12` are; a name that is no semantic version is itself alone. */
export function isSameRelease(one: string, other: string): boolean {
  const [name, otherName] = [one, other].map((release) => semver.valid(release) ?? release.replace(/^v/, ''))
  return name === otherName
}

function tableImages(name: string, registry: string): Partial<ReleaseImages> {
  const version = semver.valid(name)
  const tags = version === null ? null : tableTags(version)
  if (version === null || tags === null) return {}
  const controllers = semver.lt(version, FIRST_KUBE_CONTROLLERS)
    ? 'kube-policy-controller'
    : 'kube-controllers'
  return {
    node: `${registry}/calico/node:${tags.node}`,
    cni: `${registry}/calico/cni:${tags.cni}`,
    controllers: `${registry}/calico/${controllers}:${tags.controllers}`,
  }
}

function tableTags(version: string): ReleaseImages | null {
  const own = `v${version}`
  const row = TABLE.find(([releases]) => releases.includes(version))
  if (row) return { node: row[1] ?? own, cni: row[2], controllers: row[3] }
  return hasOneVersion(version) ? { node: own, cni: own, controllers: own } : null
}

function hasOneVersion(version: string): boolean {
  return semver.gte(version, FIRST_OF_ONE_VERSION) && semver.prerelease(version) === null
}

/** The release of the table whose calico/node has this version. */
export function releaseOfNode(version: string): string | null {
  const row = TABLE.find(
    ([releases, node]) => node === `v${version}` || (!node && releases.includes(version)),
  )
  if (row) return `v${row[1] === null ? version : row[0].join()}`
  return hasOneVersion(version) ? `v${version}` : null
}

export function isWithdrawn(version: string): boolean {
  return WITHDRAWN.includes(version)
}

/** Why a release cannot be used, with the nearest ones that can. */
export function unknownRelease(name: string): string {
  const version = semver.coerce(name)
  const withdrawn = version !== null && isWithdrawn(version.version) ? ', because it was withdrawn' : ''
  return `release ${name} is not in the table${withdrawn}; the nearest ones are ${nearest(name).join(', ')}`
}

function nearest(name: string): string[] {
  const wanted = weight(semver.coerce(name)?.version ?? '0.0.0')
  return [...KNOWN, FIRST_OF_ONE_VERSION]
    .toSorted((a, b) => Math.abs(weight(a) - wanted) - Math.abs(weight(b) - wanted))
    .slice(0, 3)
    .toSorted((a, b) => weight(a) - weight(b))
    .map((version) => (version === FIRST_OF_ONE_VERSION ? `v${version} and later` : `v${version}`))
}

/** Patches are nearer to each other than minors, and minors than majors. */
function weight(version: string): number {
  return semver.major(version) * 1e6 + semver.minor(version) * 1e3 + semver.patch(version)
}
