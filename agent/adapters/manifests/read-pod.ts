import type * as YamlModule from 'yaml'
import type { Document, Node, Scalar } from 'yaml'
import { messageOf } from '../../core/message-of.ts'
import type { ImageToken, ManifestContainer, ManifestFile, ManifestValue } from '../../core/pod/manifest.ts'

/** The API's default (core/v1, DefaultTerminationGracePeriodSeconds). */
const GRACE_S = 30

/** A manifest of one pod, YAML or JSON; of several documents the kubelet reads the first. */
export async function readPod(text: string): Promise<ManifestFile['pod']> {
  const yaml = await import('yaml')
  const parsed = yaml.parseAllDocuments(text, { merge: true })
  const [document, ...more] = 'empty' in parsed ? [] : parsed.filter(hasContent)
  if (!document) return { unreadable: 'it is empty' }
  const [error] = document.errors
  if (error) return { unreadable: error.message.split('\n')[0] ?? '' }
  try {
    return podOf(document, more.length > 0, yaml)
  } catch (reason) {
    // an alias bomb
    return { unreadable: messageOf(reason) }
  }
}

/** What stands behind a last `---` is a null. */
function hasContent({ contents }: Document.Parsed): boolean {
  return contents !== null && !('value' in contents && contents.value === null)
}

type Yaml = typeof YamlModule

function podOf(document: Document.Parsed, hasMore: boolean, yaml: Yaml): ManifestFile['pod'] {
  const root: unknown = document.toJS({ maxAliasCount: 100 })
  const name = at(root, 'metadata', 'name')
  const containers = at(root, 'spec', 'containers')
  if (at(root, 'kind') !== 'Pod' || typeof name !== 'string' || !Array.isArray(containers))
    return { unreadable: 'it is not a Pod with a name and containers' }
  const grace = at(root, 'spec', 'terminationGracePeriodSeconds')
  const token = (index: number): ManifestContainer['token'] =>
    hasMore ? { why: 'it has several YAML documents' } : imageToken(document, index, yaml)
  return {
    name,
    namespace: textAt(root, 'metadata', 'namespace') ?? 'default',
    uid: textAt(root, 'metadata', 'uid'),
    graceS: typeof grace === 'number' ? grace : GRACE_S,
    containers: containers.flatMap((one: unknown, i) => containerOf(one, token(i)) ?? []),
    values: valuesOf(document, yaml),
  }
}

function containerOf(one: unknown, token: ManifestContainer['token']): ManifestContainer | null {
  const [name, image] = [textAt(one, 'name'), textAt(one, 'image')]
  if (name === null || image === null) return null
  const policy = textAt(one, 'imagePullPolicy')
  // the API's default (core/v1, SetDefaults_Container)
  const isLatest = !image.includes('@') && (/:latest$/.test(image) || !/:[^/]*$/.test(image))
  return { name, image, token, pullsAlways: policy === null ? isLatest : policy === 'Always' }
}

function at(root: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined,
    root,
  )
}

function textAt(root: unknown, ...path: string[]): string | null {
  const value = at(root, ...path)
  return typeof value === 'string' && value !== '' ? value : null
}

const QUOTES: Partial<Record<Scalar.Type, ImageToken['quote']>> = {
  PLAIN: '',
  QUOTE_DOUBLE: '"',
  QUOTE_SINGLE: "'",
}

/** The image of one container, where it is written as one word that nothing else refers to. */
function imageToken(document: Document.Parsed, index: number, yaml: Yaml): ManifestContainer['token'] {
  const path = ['spec', 'containers', index, 'image']
  for (const depth of path.keys()) {
    const above = depth === 0 ? document.contents : (document.getIn(path.slice(0, depth), true) as Node)
    const problem = sharedBy(above, yaml)
    if (problem !== null) return { why: problem }
  }
  const image: unknown = document.getIn(path, true)
  const problem = sharedBy(image, yaml)
  if (problem !== null) return { why: problem }
  if (!yaml.isScalar(image) || !image.range) return { why: 'the image comes from a YAML merge key' }
  const quote = QUOTES[image.type as Scalar.Type]
  if (quote === undefined) return { why: 'the image is a YAML block scalar' }
  if (image.tag !== undefined) return { why: 'the image has a YAML tag' }
  const [start, end] = image.range
  return { start, end, quote }
}

function sharedBy(node: unknown, yaml: Yaml): string | null {
  if (yaml.isAlias(node)) return `the image, or the mapping around it, is the alias *${node.source}`
  if (!yaml.isCollection(node) && !yaml.isScalar(node)) return null
  return node.anchor === undefined
    ? null
    : `the anchor &${node.anchor} shares the image, or the mapping around it, with other places`
}

/** Values of the environment by their names, and all other texts: there may be secrets in them. */
function valuesOf(document: Document.Parsed, yaml: Yaml): ManifestValue[] {
  const found = new Map<number, ManifestValue>()
  const add = (node: unknown, name: string | null): void => {
    const scalar = yaml.isAlias(node) ? node.resolve(document) : node
    if (!yaml.isScalar(scalar) || typeof scalar.value !== 'string' || !scalar.range) return
    const [start, end] = scalar.range
    if (name !== null || !found.has(start)) found.set(start, { name, value: scalar.value, start, end })
  }
  yaml.visit(document, {
    Scalar: (_, scalar) => {
      add(scalar, null)
    },
    Map: (_, map) => {
      const name: unknown = map.get('name')
      if (typeof name === 'string') add(map.get('value', true), name)
    },
  })
  return [...found.values()]
}
