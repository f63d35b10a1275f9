import type { Architecture } from '../building/architecture.ts'

export const compressions = ['xz', 'gzip', 'none'] as const
type Compression = (typeof compressions)[number]

export const isCompression = (word: string): word is Compression =>
  (compressions as readonly string[]).includes(word)

/** What is packed, and where to. */
export interface PackOptions {
  /** The project. */
  root: string
  /** Where scripts/build.ts left the agent. */
  built: string
  out: string
  version: string
  architecture: Architecture
  compression: Compression
  /** The time of all that is packed, in seconds since 1970: two builds of one release are the same bytes. */
  epoch: number
}
