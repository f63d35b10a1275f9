import { type Document, LineCounter, parseAllDocuments, type ScalarTag } from 'yaml'
import { AgentError } from '../core/errors.ts'
import { type AnyObject, type WantedManifest, wantedManifest } from '../core/kubernetes/manifest.ts'
import { messageOf } from '../core/message-of.ts'
import { ConfigError } from './problems.ts'
import { shortHash } from './short-hash.ts'

/** The service reads its config every half a minute. */
let latest: { path: string; bytes: Uint8Array; wanted: WantedManifest } | undefined

const FIX = 'take a calico.yaml of the release; kubectl apply --dry-run=client -f FILE checks it'

/**
 * What the manifest of `hosted.manifest` asks for.
 * @throws ConfigError that names the file, and the line where it is known
 */
export async function readManifest(
  path: string,
  read: (path: string) => Promise<Uint8Array | undefined>,
): Promise<WantedManifest> {
  const bytes = await read(path).catch((error: unknown) => {
    if (!(error instanceof AgentError)) throw error
    throw new ConfigError([`hosted.manifest: ${error.message}`], error.fix)
  })
  if (bytes === undefined)
    throw new ConfigError(
      [`hosted.manifest: cannot read ${path}: no such file`],
      'correct the path, or remove it',
    )
  if (latest?.path === path && Buffer.compare(latest.bytes, bytes) === 0) return latest.wanted
  const objects = objectsIn(Buffer.from(bytes).toString('utf8'), path)
  try {
    const wanted = wantedManifest(path, objects, shortHash)
    latest = { path, bytes, wanted }
    return wanted
  } catch (error) {
    throw refusal(path, messageOf(error))
  }
}

/** As kubectl reads `defaultMode: 0400`: YAML 1.2 would take it for 400. */
const OCTAL: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) => Number.parseInt(text, 8),
}

function objectsIn(text: string, path: string): AnyObject[] {
  const lineCounter = new LineCounter()
  const documents = parseAllDocuments(text, {
    ...{ lineCounter, prettyErrors: false, logLevel: 'error', merge: true },
    customTags: (tags) => [OCTAL, ...tags],
  })
  return documents.flatMap((document) => {
    const [wrong] = document.errors
    const { line } = lineCounter.linePos(wrong ? wrong.pos[0] : document.range[0])
    if (wrong) throw refusal(`${path}:${line}`, wrong.message)
    return flat(valueOf(document, `${path}:${line}`)).map((value) => checked(value, `${path}:${line}`))
  })
}

/** Aliases and merges are resolved here, and not by the parser. */
function valueOf(document: Document, place: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw refusal(place, messageOf(error))
  }
}

/** An empty document is none; a List is what is in it. */
function flat(value: unknown): unknown[] {
  if (value === null || value === undefined) return []
  const { kind, items } = value as { kind?: unknown; items?: unknown }
  return kind === 'List' && Array.isArray(items) ? (items as unknown[]) : [value]
}

function checked(value: unknown, place: string): AnyObject {
  const { apiVersion, kind, metadata } = (value ?? {}) as Partial<AnyObject>
  if (typeof apiVersion === 'string' && typeof kind === 'string' && typeof metadata?.name === 'string')
    return value as AnyObject
  throw refusal(
    place,
    'the document is no object of Kubernetes: apiVersion, kind or metadata.name is missing',
  )
}

function refusal(place: string, why: string): ConfigError {
  return new ConfigError([`hosted.manifest: cannot take ${place}: ${why}`], FIX)
}
