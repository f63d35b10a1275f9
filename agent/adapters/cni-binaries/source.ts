import { AgentError } from '../../core/errors.ts'

/** calico is 30 to 90 MB. */
const MAX_BINARY_BYTES = 256 * 1024 * 1024

/** One plugin of a source; its content can be read once. */
export interface SourceFile {
  name: string
  executable: boolean
  content: AsyncIterable<Uint8Array>
}

export type TakeFile = (file: SourceFile) => Promise<void>

/** Hands each of the names on; the names that it handed on. */
export type ReadSource = (names: string[], take: TakeFile, signal: AbortSignal) => Promise<void>

/** The content, as far as it is not larger than a plugin is. */
export async function* bounded(
  content: AsyncIterable<Uint8Array>,
  what: string,
  signal: AbortSignal,
  maxBytes = MAX_BINARY_BYTES,
): AsyncGenerator<Uint8Array> {
  let total = 0
  for await (const chunk of content) {
    signal.throwIfAborted()
    total += chunk.length
    if (total > maxBytes) {
      throw refused('cni-source-too-large', what, `it is larger than ${maxBytes / 1024 / 1024} MB`, {
        fix: 'check that this is the right file',
      })
    }
    yield chunk
  }
}

/** Some of the names are not there: says which are. */
export function missingBinaries(where: string, missing: string[], there: string[]): AgentError {
  const has = there.length === 0 ? 'no files' : listed([...new Set(there)].sort())
  return refused(
    'cni-binary-missing',
    missing.join(', '),
    `${where} does not contain it; it contains ${has}`,
    {
      fix: 'list in cni.binaries only plugins that the source contains',
    },
  )
}

/** An archive may hold a whole distribution. */
const MAX_LISTED = 20

function listed(names: string[]): string {
  const more = names.length - MAX_LISTED
  return `${names.slice(0, MAX_LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

export function refused(
  code: string,
  what: string,
  reason: string,
  { fix, cause }: { fix: string; cause?: unknown },
): AgentError {
  return new AgentError(code, `cannot use ${what}: ${reason}`, { fix, ...(cause !== undefined && { cause }) })
}
