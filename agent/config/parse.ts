import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml'
import { ConfigError, type Finding, findingsOf, formatPath, valueAt } from './problems.ts'
import { type Config, configSchema } from './schema.ts'

/** The config names a handful of things; aliases are hardly needed, and a bomb needs many. */
const MAX_ALIASES = 16

/**
 * Reads agent.yaml: `file` is its path, for messages.
 * @throws ConfigError with all that is wrong, each "FILE:LINE:COLUMN: key.path: what"
 */
export function parseConfig(bytes: Uint8Array, file: string): Config {
  const text = decode(bytes, file)
  const lines = new LineCounter()
  const document = parseYaml(text, lines, file)
  const value = toValue(document, file)
  const result = configSchema.safeParse(value)
  if (result.success) return result.data
  const keys: KeyOffsets = new Map()
  const found = result.error.issues
    .flatMap((issue) => findingsOf(issue, value))
    .map((finding) => ({ finding, offset: offsetOf(document, finding, keys) }))
    .sort((a, b) => a.offset - b.offset)
  throw new ConfigError(
    found.map(({ finding, offset }) => {
      const path = formatPath(finding.path)
      return `${place(file, lines, offset)}: ${path === '' ? '' : `${path}: `}${finding.message}`
    }),
  )
}

/** The line at which a valid config says something of a key, null where it does not. */
export function linesIn(bytes: Uint8Array, file: string): (path: readonly string[]) => number | null {
  const lines = new LineCounter()
  const document = parseYaml(decode(bytes, file), lines, file)
  const value = toValue(document, file)
  const keys: KeyOffsets = new Map()
  return (path) => {
    if (valueAt(value, path) === undefined) return null
    const key = path.at(-1) ?? ''
    return lines.linePos(offsetOf(document, { path, key, message: '' }, keys)).line
  }
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch {
    // told below
  }
  throw new ConfigError([`${file}: cannot read it: it is not UTF-8 text`])
}

function parseYaml(text: string, lines: LineCounter, file: string): Document {
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
    const wrong = [...document.errors, ...document.warnings]
    if (wrong.length === 0) return document
    throw new ConfigError(
      wrong.map(({ pos, message }) => `${place(file, lines, pos[0])}: ${inWords(message)}`),
    )
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError([`${file}: cannot read it as YAML: ${messageOf(error)}`])
  }
}

function toValue(document: Document, file: string): unknown {
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (error) {
    throw new ConfigError([`${file}: cannot read it as YAML: ${messageOf(error)}`])
  }
  if (value === null || value === undefined) {
    throw new ConfigError(
      [`${file}: it is empty`],
      `name the image that this host is to run:\n${minimalConfig}`,
    )
  }
  return value
}

/** Shown if there is no config to start from. */
export const minimalConfig = `node:
  image: quay.io/calico/node:v2.6.12`

/** Offset of the value, of the key when that is wrong, or of the nearest parent that is in the text. */
function offsetOf(document: Document, { path, key }: Finding, keys: KeyOffsets): number {
  if (key !== undefined) {
    const parent = nodeAt(document, path.slice(0, -1))
    if (isMap(parent)) return keysOf(parent, keys).get(key) ?? 0
  }
  for (let length = path.length; length > 0; length--) {
    const node = nodeAt(document, path.slice(0, length))
    if (isNode(node)) return node.range?.[0] ?? 0
  }
  return 0
}

/** Read once for each mapping: a hostile one has thousands of unknown keys. */
type KeyOffsets = Map<YAMLMap, Map<string, number>>

function keysOf(map: YAMLMap, known: KeyOffsets): Map<string, number> {
  const offsets = known.get(map) ?? new Map<string, number>()
  if (!known.has(map)) {
    known.set(map, offsets)
    for (const { key } of map.items) if (isScalar(key)) offsets.set(String(key.value), key.range?.[0] ?? 0)
  }
  return offsets
}

function nodeAt(document: Document, path: readonly PropertyKey[]): unknown {
  return path.length === 0 ? document.contents : document.getIn(path, true)
}

function place(file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset)
  return `${file}:${line}:${col}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? inWords(error.message) : String(error)
}

/** In one line, without the parser's API terms; the parser is recursive, and reports its own stack overflow. */
function inWords(message: string): string {
  if (/maximum call stack|stack overflow/i.test(message)) return 'it is nested too deeply'
  if (message.includes('parseAllDocuments'))
    return 'a second YAML document starts here; the config must be one document'
  return message.replace(/\s*\n\s*/g, ' ').trim()
}
