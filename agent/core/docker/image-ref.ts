import { AgentError, ExitCode } from '../errors.ts'

/**
 * An image reference by Docker's rules (distribution/reference, normalize.go and regexp.go), with its defaults
 * filled in. `tag` is absent only where a digest stands alone.
 */
export interface ImageRef {
  /** `docker.io`, `quay.io`, `localhost:5000` */
  registry: string
  /** Without the registry: `library/busybox`, `calico/node` */
  path: string
  tag?: string
  /** `sha256:...`; where both are given, the digest decides and the tag is only shown. */
  digest?: string
}

const defaultRegistry = 'docker.io'
const maxNameLength = 255
const maxTagLength = 128

const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
const registryPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?$`)
const componentPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const tagPattern = /^\w[\w.-]*$/
const imageIdPattern = /^(?:sha256:)?[0-9a-f]{64}$/
const digestLengths: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 }

/**
 * Parses what `docker pull` would accept and fills in Docker's defaults.
 * @throws AgentError `bad-image-ref` (exit code 2), whose fix shows the nearest usable form
 */
export function parseImageRef(text: string): ImageRef {
  refuseWhatIsNoReference(text)
  const { name, tag, digest } = splitReference(text)
  const { registry, path } = splitName(name)
  checkName(text, registry, path)
  if (tag !== undefined) checkTag(text, tag)
  if (digest !== undefined) checkDigest(text, digest)

  const shownTag = tag ?? (digest === undefined ? 'latest' : undefined)
  return {
    registry,
    path,
    ...(shownTag === undefined ? {} : { tag: shownTag }),
    ...(digest === undefined ? {} : { digest }),
  }
}

/** As Docker shows it: `calico/node:v3.0.1`, `quay.io/calico/node:v2.6.12`, with the digest where there is one. */
export function formatImageRef(ref: ImageRef): string {
  const tag = ref.tag === undefined ? '' : `:${ref.tag}`
  const digest = ref.digest === undefined ? '' : `@${ref.digest}`
  return familiarName(ref) + tag + digest
}

/** The name as Docker shows it, without tag and digest: `busybox` for `docker.io/library/busybox`. */
export function familiarName(ref: ImageRef): string {
  if (ref.registry !== defaultRegistry) return `${ref.registry}/${ref.path}`
  const [first = '', ...rest] = ref.path.split('/')
  if (first === 'library' && rest.length === 1) return rest.join('/')
  // a namespace that looks like a registry's name would be read as one
  return rest.length > 0 && looksLikeRegistry(first) ? repository(ref) : ref.path
}

/** The full name, without tag and digest: `docker.io/library/busybox`. */
export function repository(ref: ImageRef): string {
  return `${ref.registry}/${ref.path}`
}

/** The key of this registry's login in Docker's config.json; Docker Hub's is the URL of its version 1. */
export function registryKey(ref: ImageRef): string {
  return ref.registry === defaultRegistry ? 'https://index.docker.io/v1/' : ref.registry
}

/** The tag of what a container names as its image; null where that is an id, or no reference at all. */
export function tagOf(image: string): string | null {
  return parseOrUndefined(image)?.tag ?? null
}

/**
 * The name under which Docker finds the image by its content: `ref` while it has it, the same with its digest once the tag
 * has moved, the id where no registry has it. `byName` is what has the name now.
 */
export function nameOfContent(
  ref: string,
  image: { Id: string; RepoDigests: string[] | null },
  byName: { Id: string } | undefined,
): string {
  if (byName?.Id === image.Id) return ref
  const parsed = parseOrUndefined(ref)
  if (parsed === undefined) return image.Id
  const known = (image.RepoDigests ?? []).flatMap((entry) => parseOrUndefined(entry) ?? [])
  const own = known.find((entry) => sameRepository(parsed, entry))
  return own?.digest === undefined ? image.Id : formatImageRef({ ...parsed, digest: own.digest })
}

export function sameRepository(one: ImageRef, other: ImageRef): boolean {
  return repository(one) === repository(other)
}

/** Whether the image that Docker inspected is known under this reference; a digest decides over a tag. */
export function matchesImage(
  ref: ImageRef,
  image: { RepoTags: string[] | null; RepoDigests: string[] | null },
): boolean {
  const entries = (ref.digest === undefined ? image.RepoTags : image.RepoDigests) ?? []
  return entries.some((entry) => {
    const known = parseOrUndefined(entry)
    if (known === undefined || !sameRepository(ref, known)) return false
    return ref.digest === undefined ? known.tag === ref.tag : known.digest === ref.digest
  })
}

/** Docker shows `<none>:<none>` for an image that lost its tag. */
function parseOrUndefined(text: string): ImageRef | undefined {
  try {
    return parseImageRef(text)
  } catch {
    return undefined
  }
}

function refuseWhatIsNoReference(text: string): void {
  if (text === '')
    throw unusable(text, 'it is empty', 'name an image, for example quay.io/calico/node:v2.6.12')
  if (/\s/.test(text)) throw unusable(text, 'it contains white space', suggest(text.replace(/\s+/g, '')))
  const scheme = /^[a-z+]+:\/\//i.exec(text)?.[0]
  if (scheme !== undefined) {
    throw unusable(text, `it starts with ${scheme}`, suggest(text.slice(scheme.length).replace(/\/+$/, '')))
  }
  if (imageIdPattern.test(text)) {
    throw unusable(
      text,
      'it is an image ID, which registries do not know',
      'use repository:tag or repository@digest',
    )
  }
}

/** Only a colon after the last slash starts a tag: an earlier one belongs to the registry's port. */
function splitReference(text: string): { name: string; tag?: string; digest?: string } {
  const [tagged = '', ...digests] = text.split('@')
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1)
  return {
    name: colon < 0 ? tagged : tagged.slice(0, colon),
    ...(colon < 0 ? {} : { tag: tagged.slice(colon + 1) }),
    ...(digests.length === 0 ? {} : { digest: digests.join('@') }),
  }
}

function looksLikeRegistry(component: string): boolean {
  return /[.:]/.test(component) || component === 'localhost'
}

function splitName(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/')
  const first = name.slice(0, slash)
  const named = slash >= 0 && looksLikeRegistry(first)
  const path = named ? name.slice(slash + 1) : name
  const registry = named && first !== 'index.docker.io' ? first : defaultRegistry
  return { registry, path: registry === defaultRegistry && !path.includes('/') ? `library/${path}` : path }
}

function checkName(text: string, registry: string, path: string): void {
  if (!registryPattern.test(registry)) {
    throw unusable(
      text,
      `"${registry}" is not a registry's host name`,
      'write it as HOST[:PORT]/repository:tag',
    )
  }
  if (!path.split('/').every((component) => componentPattern.test(component))) {
    if (path !== path.toLowerCase()) {
      throw unusable(text, 'the repository must be lower case', suggest(lowerName(text)))
    }
    throw unusable(text, 'the repository has an empty part or an invalid character', repositoryRule)
  }
  if (registry.length + 1 + path.length > maxNameLength) {
    throw unusable(
      text,
      `the name is longer than ${maxNameLength} characters`,
      'use the name that the registry shows',
    )
  }
}

const repositoryRule = 'use a-z, 0-9, and single separators (. _ - /) between them'

/** A tag may be upper case, so only the name is changed. */
function lowerName(text: string): string {
  const { name } = splitReference(text)
  return name.toLowerCase() + text.slice(name.length)
}

function checkTag(text: string, tag: string): void {
  if (tag.length > maxTagLength) {
    throw unusable(
      text,
      `the tag is longer than ${maxTagLength} characters`,
      'use the tag that the registry shows',
    )
  }
  if (!tagPattern.test(tag)) {
    const reason = tag === '' ? 'the tag is empty' : `"${tag}" is not a tag`
    throw unusable(
      text,
      reason,
      'a tag starts with a letter, a digit or _, followed by letters, digits, _, . and -',
    )
  }
}

function checkDigest(text: string, digest: string): void {
  const colon = digest.indexOf(':')
  const length = digestLengths[digest.slice(0, colon)]
  const hex = digest.slice(colon + 1)
  if (length === undefined || hex.length !== length || !/^[0-9a-f]+$/.test(hex)) {
    throw unusable(text, `"${digest}" is not a digest`, 'a digest is sha256: and 64 hex digits')
  }
}

function suggest(text: string): string {
  return parseOrUndefined(text) === undefined
    ? 'name an image, for example quay.io/calico/node:v2.6.12'
    : `use ${text}`
}

function unusable(text: string, reason: string, fix: string): AgentError {
  return new AgentError('bad-image-ref', `cannot use "${text}" as an image: ${reason}`, {
    fix,
    exitCode: ExitCode.usage,
  })
}
